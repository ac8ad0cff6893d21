"""Insight into gradients: what is logged and said, and that the training does not notice."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning.loggers import Logger
from rich.console import Console
from torch import nn

from nmt_lstm.batching.batch import collate
from nmt_lstm.cells.cell import Cell
from nmt_lstm.registry import CELLS
from nmt_lstm.training.checkpointing import read_checkpoint
from nmt_lstm.training.csv_log import CsvLog, flow_file, read_log, start_log
from nmt_lstm.training.fit import fit
from nmt_lstm.training.fit_callback import FitCallback
from nmt_lstm.training.insight import LOGGED_LAGS, measured_pairs

INSIGHT = ("insight.gradients=true", "insight.every=4")
# Everything that draws, and steps made of several batches.
STATEFUL = (
    "training.ema=0.9",
    "training.accumulate=2",
    "training.checkpoint_every=2",
    "model.word_dropout=0.1",
)


class Multiplied(Cell):
    """Its state is multiplied at each position."""

    share = 1.0

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.weight = nn.Parameter(torch.randn(input_size, hidden_size) * 0.01)

    def step(self, inputs, state):
        hidden = self.share * state[0] + inputs @ self.weight
        return hidden, (hidden,)


class Fading(Multiplied):
    share = 0.1


class Growing(Multiplied):
    share = 1.3


class Recorded(Logger):
    """Keeps what is logged, as a service would."""

    name, version = "recorded", ""

    def __init__(self, *_: Any) -> None:
        super().__init__()
        self.rows: list[tuple[int, dict[str, float]]] = []

    def log_metrics(self, metrics, step=None):
        self.rows.append((step, metrics))

    def log_hyperparams(self, params, *arguments, **named):
        pass


def trained(run: Any, output: Path, **named: Any) -> str:
    """Train, and return what was said."""
    said = io.StringIO()
    fit(run, output, console=Console(file=said, width=1000), **named)
    return said.getvalue()


def flow_rows(output: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(flow_file(output).open(encoding="utf-8")))


@pytest.fixture(scope="module")
def with_insight(make_small_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of 16 steps that was watched."""
    output = tmp_path_factory.mktemp("insight") / "run"
    trained(make_small_run(*INSIGHT, *STATEFUL), output)
    return output


def test_the_weights_are_the_same_bit_for_bit(make_small_run, with_insight, output) -> None:
    trained(make_small_run(*STATEFUL), output)
    assert (output / "model.safetensors").read_bytes() == (with_insight / "model.safetensors").read_bytes()
    assert flow_file(with_insight).exists()
    assert not flow_file(output).exists()


@pytest.mark.parametrize(
    "before", [INSIGHT, ()], ids=["watched from the beginning", "watched from the resume on"]
)
def test_a_resumed_training_is_the_same_training(
    make_small_run, with_insight, output, monkeypatch, before
) -> None:
    class Killed(BaseException):
        pass

    original = FitCallback.after_step

    def dying(self, trainer, module, *, end_of_epoch):
        original(self, trainer, module, end_of_epoch=end_of_epoch)
        if trainer.global_step == 7:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(FitCallback, "after_step", dying)
        with pytest.raises(Killed):
            trained(make_small_run(*before, *STATEFUL), output)
    trained(make_small_run(*INSIGHT, *STATEFUL), output, resume=True)
    assert (output / "model.safetensors").read_bytes() == (with_insight / "model.safetensors").read_bytes()
    if before:
        states = [
            read_checkpoint(folder / "checkpoints" / "last.ckpt")["callbacks"]["GradientInsight"]
            for folder in (output, with_insight)
        ]
        assert states[0] == states[1]
        assert states[0]["run"]["steps"] == 16
        assert flow_rows(output) == flow_rows(with_insight)


def test_each_measurement_has_a_row_for_each_cell(with_insight) -> None:
    rows = flow_rows(with_insight)
    cells = ["encoder_1_forward", "encoder_1_backward", "decoder_1_forward"]
    assert [(row["step"], row["cell"]) for row in rows] == [
        (str(step), cell) for step in (1, 4, 8, 12, 16) for cell in cells
    ]
    for row in rows:
        assert 0 < float(row["lag_1"]) < 10
        assert int(float(row["horizon"])) >= 1
        assert row["lag_50"] == ""  # sentences of digits are shorter


def test_norms_and_clipping_are_logged_beside_the_losses(make_small_run, output) -> None:
    said = trained(make_small_run(*INSIGHT, "training.clip_norm=0.01", "training.max_steps=4"), output)
    (first, last) = [row for row in read_log(output) if row["clipped_share"]]
    assert (first["step"], last["step"]) == ("1", "4")
    assert float(last["clipped_share"]) == 1.0
    assert float(last["gradient_norm_clipped"]) == pytest.approx(0.01)
    assert "0.01 after clipping; 100% of the steps clipped" in said


def test_components_that_are_clipped_count(make_small_run, output) -> None:
    values = ("training.clip_norm=0", "training.clip_value=0.0001", "training.max_steps=4")
    said = trained(make_small_run(*INSIGHT, *values), output)
    last = [row for row in read_log(output) if row["clipped_share"]][-1]
    assert float(last["clipped_share"]) == 1.0
    assert "100% of the steps clipped" in said


def test_without_clipping_nothing_is_clipped(make_small_run, output) -> None:
    said = trained(make_small_run(*INSIGHT, "training.clip_norm=0", "training.max_steps=4"), output)
    assert "never clipped" in said
    assert [row["clipped_share"] for row in read_log(output) if row["clipped_share"]] == ["0.0", "0.0"]


def test_every_logger_gets_all_of_it(make_small_run, output) -> None:
    recorded = Recorded()
    fit(
        make_small_run(*INSIGHT, "training.max_steps=4"),
        output,
        console=Console(quiet=True),
        loggers=[recorded],
    )
    names = {name for _, row in recorded.rows for name in row}
    assert {"gradient_norm_clipped", "clipped_share", "gradient_flow/decoder_1_forward/horizon"} <= names
    assert "gradient_flow/encoder_1_backward/lag_5" in names


@pytest.mark.parametrize(
    ("cell", "words", "setting"),
    [(Fading, "vanish", "model.encoder.cell ="), (Growing, "explode", "training.clip_norm")],
)
def test_gradients_that_vanish_or_explode_are_told_once(make_small_run, output, cell, words, setting) -> None:
    CELLS.register("multiplied")(cell)
    settings = (
        "model.encoder.cell=multiplied",
        "training.max_steps=12",
        "training.optimizer.learning_rate=0.0001",
    )
    said = trained(make_small_run(*INSIGHT, *settings), output)
    (warning,) = [line for line in said.splitlines() if line.startswith("warning: Gradients")]
    assert words in warning
    assert "encoder.1.forward and encoder.1.backward" in warning
    assert "step 4," in warning  # the first step alone is no evidence
    assert "decoder" not in warning.split(":")[1]
    assert setting in warning


def test_the_end_sums_up(make_small_run, output) -> None:
    said = trained(make_small_run(*INSIGHT, "training.max_steps=4"), output)
    (line,) = [line for line in said.splitlines() if line.startswith("gradient horizon")]
    for cell in ("encoder.1.forward", "encoder.1.backward", "decoder.1.forward"):
        assert cell in line
    result = fit(
        make_small_run("training.max_steps=1"), output.with_name("other"), console=Console(quiet=True)
    )
    assert result.insight == {}


def test_long_pairs_of_like_length_are_measured() -> None:
    lengths = [*range(1, 100), 200]
    batches = [collate([[9] * length], [[8] * (length + 3)]) for length in lengths]
    chosen = measured_pairs(batches)
    # Of the ten longest the eight shortest, cut with their ends to 60.
    assert chosen.source.lengths.tolist() == [60] * 8
    assert chosen.target_lengths.tolist() == [60] * 8
    short = measured_pairs(batches[:19])
    assert short.source.lengths.tolist() == [20]
    assert short.target_lengths.tolist() == [23]


def test_of_answers_of_one_piece_those_of_long_sources_are_measured() -> None:
    lengths = [5, 30, 12, 40, 8, 35, 20, 38, 3, 25] * 4
    chosen = measured_pairs([collate([[9] * length], [[8]]) for length in lengths])
    assert chosen.source.lengths.tolist() == [41] * 4


def test_a_resumed_log_of_flows_continues_after_its_checkpoint(tmp_path) -> None:
    start_log(tmp_path, 0)
    log = CsvLog(tmp_path)
    for step in (1, 4, 8):
        log.log_metrics({"gradient_flow/encoder_1_forward/lag_1": 0.5, "train_loss": 1.0}, step)
    start_log(tmp_path, 4)
    CsvLog(tmp_path).log_metrics({"gradient_flow/encoder_1_forward/lag_1": 0.25}, 8)
    assert [(row["step"], row["lag_1"]) for row in flow_rows(tmp_path)] == [
        ("1", "0.5"), ("4", "0.5"), ("8", "0.25"),
    ]  # fmt: skip
    assert [row["step"] for row in read_log(tmp_path)] == ["1", "4"]
    assert list(flow_rows(tmp_path)[0]) == ["step", "cell", "horizon", *(f"lag_{lag}" for lag in LOGGED_LAGS)]
