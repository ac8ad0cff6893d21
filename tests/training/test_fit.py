"""Complete runs: what they write, report and learn, and when they stop."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.errors import ConfigurationError, DataError, ModelFolderError, ResourceError
from nmt_lstm.inference.translator import Translator
from nmt_lstm.numerics import precision
from nmt_lstm.registry import load_plugin_file
from nmt_lstm.training.checkpointing import read_checkpoint
from nmt_lstm.training.fit import fit
from nmt_lstm.training.time_budget import TimeBudget

QUIET = Console(quiet=True)


def test_a_run_writes_a_model_that_translates(make_small_run: Any, output: Path) -> None:
    result = fit(make_small_run(), output, console=QUIET)
    folder = model_folder.read(output)
    assert folder.metrics["validation"]["bleu"]["score"] == result.metrics["bleu"]
    assert "version:" in folder.metrics["validation"]["bleu"]["signature"]
    assert result.steps == read_checkpoint(output / "checkpoints" / "last.ckpt")["global_step"]
    assert len(Translator.load(output).translate(["eins zwei .", ""])) == 2
    assert (output / "logs").is_dir()


def test_unusable_text_leaves_no_empty_folder(make_small_run: Any, output: Path, tmp_path: Path) -> None:
    (tmp_path / "short").write_text("one line\n")
    run = make_small_run(f"data.train_source={tmp_path / 'short'}")
    with pytest.raises(DataError, match="lines"):
        fit(run, output, console=QUIET)
    assert not output.exists()
    output.mkdir()
    (output / "checkpoints").mkdir()
    with pytest.raises(DataError, match="lines"):
        fit(run, output, resume=True, console=QUIET)
    assert output.exists()


def test_resuming_without_a_checkpoint_starts_from_the_beginning(make_small_run: Any, output: Path) -> None:
    assert fit(make_small_run("training.max_steps=2"), output, resume=True, console=QUIET).steps == 2


def test_the_suggested_command_loads_the_plugin_file_too(
    make_small_run: Any, output: Path, tmp_path: Path
) -> None:
    source = Path(__file__).parents[2] / "nmt_lstm" / "cells" / "rnn.py"
    plugin = tmp_path / "plugin.py"
    text = source.read_text("utf-8").replace("class RNN(", '@CELLS.register("from_file")\nclass RNN(')
    plugin.write_text(
        text.replace("import torch\n", "import torch\nfrom nmt_lstm import CELLS\n", 1), "utf-8"
    )
    load_plugin_file(str(plugin))
    run = make_small_run(
        "training.max_steps=2", "model.encoder.cell=from_file", "model.decoder.cell=from_file"
    )
    file = io.StringIO()
    fit(run, output, console=Console(file=file, width=200))
    assert f"nmt-lstm translate -m {output} --trust-plugins < in.txt" in file.getvalue()


def test_a_run_without_time_to_compare_weights_says_so(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimeBudget, "has_time_to_validate", lambda self: False)
    file = io.StringIO()
    fit(make_small_run("training.max_steps=2"), output, console=Console(file=file, width=200))
    assert "No time was left to compare weights" in file.getvalue()
    assert re.search(r"validation BLEU +[\d.]+  greedy  nrefs", file.getvalue())
    assert re.search(r"validation at step 2 \(epoch 1, \d+s, greedy\):", file.getvalue())


def test_the_loss_decreases(make_small_run: Any, output: Path, tmp_path: Path) -> None:
    losses = [
        fit(make_small_run(f"training.epochs={epochs}"), folder, console=QUIET).metrics["loss"]
        for epochs, folder in ((1, output), (6, tmp_path / "longer"))
    ]
    assert losses[1] < losses[0] - 0.3


def test_the_report_outside_a_terminal(make_small_run: Any, output: Path) -> None:
    file = io.StringIO()
    fit(make_small_run(), output, console=Console(file=file, width=200))
    report = file.getvalue()
    for words in (
        "400 training pairs",
        "validation at step",
        "BLEU",
        "chrF",
        "best so far",
        "all 2 epochs are done",
    ):
        assert words in report
    assert f"nmt-lstm translate -m {output}" in report
    assert "GPU available" not in report


def test_omitted_pairs_are_reported_once(make_small_run: Any, output: Path, parallel_files: Any) -> None:
    lines = parallel_files.train_target.read_text().splitlines()
    lines[::4] = [""] * len(lines[::4])
    output.parent.joinpath("holes.trg").write_text("\n".join(lines) + "\n")
    run = make_small_run(f"data.train_target={output.parent / 'holes.trg'}", "training.max_steps=1")
    file = io.StringIO()
    fit(run, output, console=Console(file=file, width=200))
    assert file.getvalue().count("left out: 100 empty") == 1


def test_max_steps_limits_the_run(make_small_run: Any, output: Path) -> None:
    file = io.StringIO()
    result = fit(make_small_run("training.max_steps=3"), output, console=Console(file=file, width=200))
    assert "2 epochs (at most 3 steps)" in file.getvalue()
    assert result.steps == 3
    assert (result.narrowed, result.time_limit) == (False, None)
    assert result.reason == "all 3 steps are done"


def test_the_time_limit_stops_the_run(make_small_run: Any, output: Path) -> None:
    file = io.StringIO()
    result = fit(
        make_small_run("training.epochs=100000", "training.time_limit=6s"),
        output,
        console=Console(file=file, width=200),
    )
    assert result.reason == "the time limit of 6s is reached"
    assert (result.out_of_time, result.time_limit) == (True, 6.0)
    assert file.getvalue().count("--resume --time-limit 1m") == 1
    assert f"in {result.epochs} of 100,000 epochs" in file.getvalue()
    assert model_folder.read(output).metrics["training_seconds"] > 0


def test_validations_do_not_exceed_the_time_limit(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first validation writes a model; later ones that would exceed the limit are skipped."""
    calls: list[float] = []
    monkeypatch.setattr(TimeBudget, "is_over", lambda self, elapsed: calls.append(elapsed) or len(calls) > 5)
    for name in ("affords_last_validation", "has_time_to_validate"):
        monkeypatch.setattr(TimeBudget, name, lambda self, *elapsed: False)
    run = make_small_run("training.validate_every=2", "training.time_limit=9h", "training.epochs=9")
    result = fit(run, output, console=QUIET)
    assert result.out_of_time
    assert result.steps == 5
    assert result.averaged_steps == [2]
    assert read_checkpoint(output / "checkpoints" / "last.ckpt")["global_step"] == 5


def test_a_run_without_improvement_stops_after_its_patience(make_small_run: Any, output: Path) -> None:
    run = make_small_run(
        "training.patience=2",
        "training.epochs=50",
        "training.metric=loss",
        "training.optimizer.learning_rate=1e-12",
        "training.validate_every=1",
    )
    result = fit(run, output, console=QUIET)
    assert "loss did not improve in the last 2" in result.reason
    assert result.steps == 3


def test_runs_with_the_same_seed_have_the_same_weights(
    make_small_run: Any, output: Path, tmp_path: Path
) -> None:
    states = []
    for seed, folder in ((1, output), (1, tmp_path / "again"), (2, tmp_path / "other")):
        fit(make_small_run(f"seed={seed}", "training.epochs=1"), folder, console=QUIET)
        states.append(read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"])
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not all(torch.equal(states[0][name], states[2][name]) for name in states[0])


def test_accumulating_gradients_changes_only_rounding(
    make_small_run: Any, output: Path, tmp_path: Path
) -> None:
    states = []
    for micro_batches, folder in ((1, output), (3, tmp_path / "accumulated")):
        run = make_small_run(
            f"training.accumulate={micro_batches}",
            "model.dropout=0.0",
            "training.max_steps=2",
            "training.optimizer.epsilon=0.001",
        )
        fit(run, folder, console=QUIET)
        states.append(read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"])
    for name, weight in states[0].items():
        torch.testing.assert_close(weight, states[1][name], atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize("average", ["none", "best", "last"])
def test_the_model_is_the_best_or_an_average(make_small_run: Any, output: Path, average: str) -> None:
    result = fit(
        make_small_run(f"training.average={average}", "training.validate_every=3"), output, console=QUIET
    )
    steps = json.loads((output / "metrics.json").read_text())["weights_of_steps"]
    assert steps == result.averaged_steps
    assert len(steps) in ((1,) if average == "none" else (1, 3))


def test_a_run_with_sampled_subwords_trains_all_epochs(make_small_run: Any, output: Path) -> None:
    result = fit(make_small_run("subwords.sampling=0.2"), output, console=QUIET)
    assert result.epochs == 2


def test_the_csv_log_has_a_column_for_each_measurement(make_small_run: Any, output: Path) -> None:
    fit(make_small_run("training.epochs=4"), output, console=QUIET)
    log = next((output / "logs").rglob("metrics.csv")).read_text()
    header = log.splitlines()[0].split(",")
    assert {
        "train_loss",
        "gradient_norm",
        "learning_rate",
        "valid_bleu",
        "valid_chrf",
        "valid_loss",
        "step",
    } <= set(header)


def test_a_folder_with_unrelated_files_is_not_changed(make_small_run: Any, output: Path) -> None:
    output.mkdir()
    (output / "thesis.txt").write_text("precious")
    with pytest.raises(ModelFolderError, match="thesis.txt"):
        fit(make_small_run(), output, console=QUIET)
    assert (output / "thesis.txt").read_text() == "precious"


def test_an_unknown_tokenizer_is_an_error_before_training(make_small_run: Any, output: Path) -> None:
    with pytest.raises(ConfigurationError, match="unknown tokenizer '13b'"):
        fit(make_small_run("data.tokenize=13b"), output, console=QUIET)


def test_running_out_of_memory_names_the_setting_to_lower(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any, **named: Any) -> None:
        torch.empty(2**55, dtype=torch.uint8)

    monkeypatch.setattr("nmt_lstm.training.module.clip_gradients", refuse)
    with pytest.raises(ResourceError, match=r"batch_pieces \(now 1500\)"):
        fit(make_small_run(), output, console=QUIET)


def test_bf16_on_a_processor_without_it_is_an_error_before_anything_is_written(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "bf16_works", lambda: False)
    with pytest.raises(ResourceError, match="bf16"):
        fit(make_small_run("training.precision=bf16"), output, console=QUIET)
    assert not output.exists()


@pytest.mark.needs_bf16
def test_a_run_can_train_in_bf16(make_small_run: Any, output: Path) -> None:
    result = fit(make_small_run("training.precision=bf16", "training.max_steps=2"), output, console=QUIET)
    assert result.steps == 2


def test_a_run_without_validation_text_holds_out_pairs_and_resumes_exactly(
    make_small_run: Any, output: Path, tmp_path: Path
) -> None:
    run = make_small_run(
        "training.max_steps=6", "training.validate_every=3", "training.schedule.name=constant"
    )
    run = run.model_copy(
        update={"data": run.data.model_copy(update={"valid_source": None, "valid_target": None})}
    )
    file = io.StringIO()
    uninterrupted = fit(run, output, console=Console(file=file, width=200))
    assert "20 of 400 pairs are held out" in file.getvalue()
    resolved = model_folder.read(output).run.data
    assert resolved.valid_source == output / "held-out" / "valid.src"
    assert resolved.exclude_validation
    interrupted = tmp_path / "interrupted"
    half = run.training.model_copy(update={"max_steps": 3})
    fit(run.model_copy(update={"training": half}), interrupted, console=QUIET)
    resumed = fit(run, interrupted, resume=True, console=QUIET)
    assert (resumed.steps, resumed.metrics) == (uninterrupted.steps, uninterrupted.metrics)


def test_a_run_that_fails_at_once_removes_its_held_out_pairs(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_small_run()
    run = run.model_copy(
        update={"data": run.data.model_copy(update={"valid_source": None, "valid_target": None})}
    )

    def fail(*_: Any) -> None:
        assert (output / "held-out" / "valid.src").is_file()
        raise ResourceError("no room")

    monkeypatch.setattr("nmt_lstm.text.preparation.prepare", fail)
    with pytest.raises(ResourceError):
        fit(run, output, console=QUIET)
    assert not output.exists()


def test_a_run_whose_time_is_over_at_once_still_writes_a_model(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimeBudget, "is_over", lambda self, elapsed: True)
    file = io.StringIO()
    result = fit(make_small_run("training.time_limit=9h"), output, console=Console(file=file, width=200))
    assert (result.steps, result.out_of_time) == (1, True)
    report = file.getvalue()
    assert "The time limit of 9h is reached" in report
    assert report.index("one validation") < report.index("validation at step 1")
