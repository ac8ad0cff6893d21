"""The loggers of a run by name: what they need, where they write by default, and how a resumed run continues them."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from pytorch_lightning.loggers import Logger

from nmt_lstm.config.named_parts import LOGGERS, NamedPart, named_parts
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.extras import install_command
from nmt_lstm.training.checkpointing import write_atomically
from nmt_lstm.training.csv_log import CsvLog
from nmt_lstm.training.dependable_log import DependableLog
from nmt_lstm.training.named_class import checked_options, construct, import_named

__all__ = ["build_loggers", "check_loggers", "start_loggers"]

_KEY = "training.loggers"
_RUNS = "loggers.json"
# Switches of packages that would use the network without being asked to; the user's own values have precedence.
_PRIVATE = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Local files are still what suits one run in one folder.
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "WANDB_SILENT": "true",
}
# Read before a run: MLflow itself sets the variable, which must not count as the user's wish for the next run.
_MLFLOW_SERVER = os.environ.get("MLFLOW_TRACKING_URI")
_WANDB_MODE = os.environ.get("WANDB_MODE")
# Options of Lightning's loggers that the framework sets.
_RESERVED: Mapping[str, Mapping[str, str]] = {
    "tensorboard": dict.fromkeys(("save_dir", "name", "version", "sub_dir"), "logs are in logs/tensorboard"),
    "mlflow": {"log_model": "the model is in the output folder"},
    "wandb": dict.fromkeys(
        ("log_model", "experiment", "checkpoint_name"), "the model is in the output folder"
    ),
}


def check_loggers(training: TrainingSettings) -> None:
    """Check the names, packages and options of a run's loggers, before anything long; starts none of them.

    Raises:
        ConfigurationError: a package is missing, or a class or an option is unknown.
    """
    for part in named_parts(training.loggers):
        _arguments(part)


def build_loggers(
    training: TrainingSettings,
    output: Path,
    first_step: int,
    *,
    is_first: bool,
    others: Sequence[Logger] = (),
) -> list[Logger]:
    """Return the loggers of a run: the CSV log, and in the first process those that the settings and the caller name.

    Args:
        training: the settings.
        output: the run's folder.
        first_step: optimizer steps that a resumed run has completed.
        is_first: whether this is the first process of the run; the others log nothing.
        others: loggers that the caller of `fit` made.

    Raises:
        ConfigurationError: a logger cannot be built.
    """
    loggers: list[Logger] = [CsvLog(output)]
    if not is_first:
        return loggers
    parts = [part for part in named_parts(training.loggers) if part.name != "csv"]
    if training.tensorboard and importlib.util.find_spec("tensorboard"):
        names = [part.name for part in parts]
        parts += [] if "tensorboard" in names else [NamedPart("tensorboard", {})]
    runs = _recorded_runs(output) if first_step else {}
    for part in parts:
        constructor, options = _arguments(part)
        defaults = _defaults(part.name, output, first_step, runs)
        inner = construct(constructor, label=f"logger '{part.name}'", key=_KEY, **{**defaults, **options})
        if not isinstance(inner, Logger):
            raise ConfigurationError(
                f"{_KEY}: '{part.name}' is not a logger; derive the class from pytorch_lightning.loggers.Logger.",
                key=_KEY,
                value=part.name,
            )
        loggers.append(DependableLog(inner, part.name))
    return [*loggers, *(DependableLog(logger, type(logger).__name__) for logger in others)]


def start_loggers(
    loggers: Sequence[Logger], output: Path, settings: Mapping[str, Any], *, resumes: bool
) -> None:
    """Log the settings of the run, and record the ids of the loggers' runs, so that a resumed run continues them.

    Args:
        loggers: those of `build_loggers`.
        output: the run's folder.
        settings: of the run.
        resumes: whether the run is resumed. A run that a logger continues has its settings, and servers refuse others.

    Raises:
        ConfigurationError: a logger cannot start.
        ResourceError: the disk is full or not writable.
    """
    before = _recorded_runs(output) if resumes else {}
    runs = {}
    for logger in loggers:
        # TensorBoard shows nothing of the settings, which are in run.toml.
        if isinstance(logger, DependableLog) and logger.label != "tensorboard":
            logger.start({} if logger.label in before else dict(_flat(settings)))
            if logger.label in LOGGERS:
                runs[logger.label] = str(logger.version)
    if runs:
        text = json.dumps(runs, indent=2) + "\n"
        write_atomically(output / "logs" / _RUNS, lambda file: file.write_text(text, encoding="utf-8"))


def _arguments(part: NamedPart) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Import the class of a logger, and return it with its options."""
    builtin = LOGGERS.get(part.name)
    if builtin is not None and importlib.util.find_spec(builtin.module) is None:
        command = (
            install_command(part.name) if part.name == "tensorboard" else f"pip install {builtin.package}"
        )
        raise ConfigurationError(
            f"{_KEY}: '{part.name}' needs the package {builtin.package}, which is not installed: {command}",
            key=_KEY,
            value=part.name,
        )
    for name, value in _PRIVATE.items():
        os.environ.setdefault(name, value)
    constructor = import_named(builtin.target if builtin else part.name, _KEY)
    options = checked_options(
        constructor,
        part.options,
        label=f"logger '{part.name}'",
        key=_KEY,
        reserved=_RESERVED.get(part.name, {}),
    )
    return constructor, options


def _defaults(name: str, output: Path, first_step: int, runs: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of a built-in logger that its options may replace: local files, and the run to continue."""
    folder = output / "logs"
    if name == "tensorboard":
        # One curve across resumes: without a version they share a folder, and purging hides later steps.
        return {
            "save_dir": folder, "name": "tensorboard", "version": "", "default_hp_metric": False, "purge_step": first_step + 1
        }  # fmt: skip
    if name == "mlflow":
        return {
            "experiment_name": "nmt-lstm",
            "run_name": output.name,
            "run_id": runs.get(name),
            "tracking_uri": _MLFLOW_SERVER or f"file:{folder.resolve() / 'mlruns'}",
        }
    if name == "wandb":
        return {
            "project": "nmt-lstm",
            "name": output.name,
            "save_dir": folder,
            "id": runs.get(name, uuid4().hex[:8]),
            "offline": _WANDB_MODE is None,
        }
    if name == "trackio":
        return {"name": runs.get(name, f"{output.name}-{uuid4().hex[:4]}")}
    return {}


def _recorded_runs(output: Path) -> dict[str, str]:
    try:
        runs = json.loads((output / "logs" / _RUNS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # a run from before, or a damaged file: the loggers begin a run of their own
    return {str(name): str(run) for name, run in runs.items()} if isinstance(runs, dict) else {}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield settings by dotted path; lists and empty tables as text."""
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value if isinstance(value, (str, int, float)) else json.dumps(value)
