"""Loggers by name: missing packages, options, local files, resumed runs, and failures that end no run."""

from __future__ import annotations

import importlib.util
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from pytorch_lightning.loggers import Logger
from rich.console import Console

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.training.csv_log import CsvLog, read_log
from nmt_lstm.training.dependable_log import DependableLog
from nmt_lstm.training.fit import fit
from nmt_lstm.training.loggers import build_loggers, check_loggers

QUIET = Console(quiet=True)
OWN = '''"""A logger of a user."""

import json
from pathlib import Path

from pytorch_lightning.loggers import Logger


class Lines(Logger):
    name, version = "lines", "1"

    def __init__(self, file: str, fails_at: int = -1) -> None:
        super().__init__()
        self.file, self.fails_at = Path(file), fails_at

    def write(self, what):
        with self.file.open("a") as file:
            file.write(json.dumps(what) + "\\n")

    def log_hyperparams(self, params, *arguments, **named):
        if self.fails_at == 0:
            raise OSError("no route to host")
        self.write({"settings": len(params), "seed": params["seed"]})

    def log_metrics(self, metrics, step=None):
        if step == self.fails_at:
            raise OSError("no route to host")
        self.write({"step": step, **metrics})

    def finalize(self, status):
        self.write({"status": status})
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "own_loggers.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path / "lines.jsonl"


def loggers(*items: str) -> str:
    return f"training.loggers=[{', '.join(items)}]"


def lines_of(file: Path, fails_at: int = -1) -> str:
    return f'{{name = "own_loggers:Lines", options = {{file = "{file}", fails_at = {fails_at}}}}}'


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_logger_of_a_user_gets_settings_metrics_and_the_end(
    own: Path, make_small_run: Any, output: Path
) -> None:
    fit(make_small_run(loggers('"csv"', lines_of(own)), "training.max_steps=2"), output, console=QUIET)
    first, *metrics, last = rows(own)
    assert first["seed"] == 1
    assert first["settings"] > 50
    assert metrics[-1]["step"] == 2
    assert metrics[-1]["valid_bleu"] == float([*read_log(output)][-1]["valid_bleu"])
    assert last == {"status": "success"}


def test_a_logger_that_fails_is_switched_off_and_training_ends(
    own: Path, make_small_run: Any, output: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = make_small_run(
        loggers(lines_of(own, fails_at=1)), "training.max_steps=2", "training.validate_every=1"
    )
    with caplog.at_level(logging.WARNING):
        result = fit(run, output, console=QUIET)
    assert result.steps == 2
    assert [row["step"] for row in read_log(output)] == ["1", "2"]
    assert [row for row in rows(own) if "step" in row] == []
    warnings = [record.getMessage() for record in caplog.records if "no route to host" in record.getMessage()]
    assert len(warnings) == 1
    assert "own_loggers:Lines" in warnings[0]


def test_a_logger_that_cannot_start_is_an_error_before_training(
    own: Path, make_small_run: Any, output: Path
) -> None:
    with pytest.raises(ConfigurationError, match="no route to host") as refused:
        fit(make_small_run(loggers(lines_of(own, fails_at=0))), output, console=QUIET)
    assert refused.value.key == "training.loggers"
    assert not (output / "checkpoints").exists()


@pytest.mark.parametrize(
    ("items", "word"),
    [
        (['"tensorbord"'], "'tensorboard'"),
        (["3"], "name"),
        (['{options = {file = "a"}}'], "name"),
        (['{name = "mlflow", option = {}}'], "option"),
        (['"wandb"', '"wandb"'], "twice"),
        (['{name = "csv", options = {a = 1}}'], "no options"),
    ],
)
def test_a_list_that_names_no_loggers_is_refused(make_small_run: Any, items: list[str], word: str) -> None:
    with pytest.raises(ConfigurationError, match=word):
        make_small_run(loggers(*items))


@pytest.mark.parametrize(
    ("item", "word"),
    [
        ('{name = "own_loggers:Lines", options = {fil = "a"}}', "'file'"),
        ('{name = "own_loggers:Lines", options = {file = "a", fails_at = "no"}}', "fails_at"),
        ('"own_loggers:Line"', "'Lines'"),
    ],
)
def test_unknown_classes_and_options_are_refused_before_training(
    own: Path, make_small_run: Any, item: str, word: str
) -> None:
    with pytest.raises(ConfigurationError, match=word):
        check_loggers(make_small_run(loggers(item)).training)


def test_a_class_that_is_not_a_logger_is_refused(make_small_run: Any, output: Path) -> None:
    run = make_small_run(loggers('"fractions:Fraction"'))
    with pytest.raises(ConfigurationError, match="not a logger"):
        build_loggers(run.training, output, 0, is_first=True)


@pytest.mark.parametrize("name", ["wandb", "mlflow", "trackio"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    make_small_run: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    with pytest.raises(ConfigurationError, match=f"pip install {name}") as refused:
        check_loggers(make_small_run(loggers(f'"{name}"')).training)
    assert refused.value.value == name


def test_only_the_first_process_has_loggers_other_than_the_csv_log(
    own: Path, make_small_run: Any, output: Path
) -> None:
    training = make_small_run(loggers(lines_of(own))).training
    kinds = [type(logger) for logger in build_loggers(training, output, 0, is_first=False)]
    assert kinds == [CsvLog]
    kinds = [type(logger) for logger in build_loggers(training, output, 0, is_first=True)]
    assert kinds == [CsvLog, DependableLog]


@pytest.mark.skipif(not importlib.util.find_spec("tensorboard"), reason="tensorboard is not installed")
@pytest.mark.parametrize(
    ("settings", "count"),
    [
        (["training.tensorboard=true"], 1),
        (["training.tensorboard=true", loggers('"tensorboard"')], 1),
        (["training.tensorboard=false", loggers('"tensorboard"')], 1),
        (["training.tensorboard=false"], 0),
    ],
)
def test_the_older_setting_of_tensorboard_still_works(
    make_small_run: Any, output: Path, settings: list[str], count: int
) -> None:
    built = build_loggers(make_small_run(*settings).training, output, 0, is_first=True)
    assert [logger.label for logger in built if isinstance(logger, DependableLog)] == ["tensorboard"] * count


def test_loggers_of_python_are_used_too(make_small_run: Any, output: Path) -> None:
    seen: list[int | None] = []

    class Seen(Logger):
        name, version = "seen", 0

        def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
            seen.append(step)

        def log_hyperparams(self, params: Any, *arguments: Any, **named: Any) -> None:
            pass

    fit(make_small_run("training.max_steps=1"), output, console=QUIET, loggers=[Seen()])
    assert seen == [1]


@pytest.mark.skipif(not importlib.util.find_spec("mlflow"), reason="mlflow is not installed")
def test_mlflow_writes_local_files_and_a_resumed_run_continues(make_small_run: Any, output: Path) -> None:
    from mlflow.tracking import MlflowClient

    name = '{name = "mlflow", options = {experiment_name = "small"}}'
    for steps in (1, 2):
        run = make_small_run(loggers(name), f"training.max_steps={steps}")
        fit(run, output, resume=True, console=QUIET)
    client = MlflowClient(tracking_uri=f"file:{output.resolve() / 'logs' / 'mlruns'}")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    (recorded,) = client.search_runs([experiment.experiment_id])
    assert recorded.data.params["training.optimizer.name"] == "adam"
    steps = [metric.step for metric in client.get_metric_history(recorded.info.run_id, "valid_bleu")]
    assert steps == [1, 2]


@pytest.mark.skipif(not importlib.util.find_spec("wandb"), reason="wandb is not installed")
def test_wandb_is_offline_unless_asked_otherwise(make_small_run: Any, output: Path) -> None:
    fit(make_small_run(loggers('"wandb"'), "training.max_steps=1"), output, console=QUIET)
    assert [*(output / "logs" / "wandb").glob("offline-run-*")]


@pytest.mark.skipif(not importlib.util.find_spec("trackio"), reason="trackio is not installed")
def test_trackio_stores_metrics_on_this_machine(
    make_small_run: Any, output: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    run = make_small_run(loggers('{name = "trackio", options = {project = "small"}}'), "training.max_steps=1")
    fit(run, output, console=QUIET)
    assert [*(tmp_path / "trackio").rglob("small*")]
