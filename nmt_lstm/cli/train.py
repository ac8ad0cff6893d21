"""``nmt-lstm train``: train from a run file, or from two or four text files alone."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import AcceptChangedPlugins, Overrides, Plugins, check_time_limit, load_plugins
from nmt_lstm.cli.messages import note, quoted, show_log
from nmt_lstm.errors import ConfigurationError

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings
    from nmt_lstm.text.held_out import HeldOut
    from nmt_lstm.training.launch import Launch

__all__ = ["train"]

logger = logging.getLogger(__name__)

EXAMPLE = """\b
Examples:
  nmt-lstm train -s train.de -t train.en -o runs/de-en
  nmt-lstm train -s train.de -t train.en \\
      --valid-source val.de --valid-target val.en -o runs/de-en
  nmt-lstm train run.toml -o runs/de-en --set model.dropout=0.3
  nmt-lstm train run.toml -o runs/de-en --resume
  nmt-lstm train run.toml -o runs/mgu --plugin mgu.py --cell mgu"""


class TrainingPrecision(StrEnum):
    """Number formats that training computes in."""

    auto = "auto"
    float32 = "float32"
    bf16 = "bf16"
    fp16 = "fp16"


def train(
    run_file: Annotated[
        Path | None,
        typer.Argument(metavar="RUN.toml", help="Run file; without one, name the text files."),
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--source", "-s", metavar="FILE", help="Source side of the training text.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--target", "-t", metavar="FILE", help="Target side of the training text.")
    ] = None,
    valid_source: Annotated[
        Path | None,
        typer.Option(
            "--valid-source", metavar="FILE", help="Source side of the validation text. [default: held out]"
        ),
    ] = None,
    valid_target: Annotated[
        Path | None,
        typer.Option(
            "--valid-target", metavar="FILE", help="Target side of the validation text. [default: held out]"
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Model folder to write. [default: runs/NAME]"),
    ] = None,
    overrides: Overrides = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the training in the folder where it stopped.")
    ] = False,
    time_limit: Annotated[
        str | None,
        typer.Option(
            "--time-limit",
            metavar="TIME",
            help='Stop after this time in all, runs before --resume included, such as "25m" or "2h".',
        ),
    ] = None,
    devices: Annotated[
        int | None, typer.Option("--devices", min=1, metavar="N", help="GPUs, or CPU processes.")
    ] = None,
    nodes: Annotated[int | None, typer.Option("--nodes", min=1, metavar="N", help="Machines.")] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            metavar="NAME",
            help="How processes share work: auto, ddp, ddp_find_unused_parameters_true.",
        ),
    ] = None,
    precision: Annotated[
        TrainingPrecision | None, typer.Option("--precision", help="Arithmetic of the training.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, metavar="N", help="Seed of everything random.")
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(
            "--cell", metavar="NAME", help="Cell of encoder and decoder: a name, or package.module:Class."
        ),
    ] = None,
    plugin: Plugins = None,
    accept_changed_plugins: AcceptChangedPlugins = False,
) -> None:
    """Train a translator and write it into a folder.

    Without a run file the settings are chosen by the size of the text and shown. Without validation text a part of the
    training text is held out for it. Text is paired line by line; files may be plain, .gz, .xz, .bz2 or .zst.
    """
    check_time_limit(time_limit or "")
    texts = {
        "train_source": source,
        "train_target": target,
        "valid_source": valid_source,
        "valid_target": valid_target,
    }
    short = {
        "training.time_limit": time_limit,
        "training.devices": devices,
        "training.nodes": nodes,
        "training.strategy": strategy,
        "training.precision": precision.value if precision else None,
        "seed": seed,
        "model.encoder.cell": cell,
        "model.decoder.cell": cell,
        **({f"data.{name}": path for name, path in texts.items()} if run_file else {}),
    }
    # --set comes last: what is spelled out wins over an abbreviation.
    settings = [f"{key}={value}" for key, value in short.items() if value is not None] + (overrides or [])
    folder = output or default_output(run_file, source, target)
    early_checks.check_training_folder(folder, resume=resume)
    chosen: list[str] = []
    held: HeldOut | None = None
    if run_file:
        run = read_run(run_file, settings)
    else:
        run, chosen, held = run_without_file(texts, settings, folder, resume=resume)
    early_checks.check_files(run.data.train_source, run.data.train_target, reread=True)
    if held is None:  # there are no such files yet
        early_checks.check_files(run.data.valid_source, run.data.valid_target, reread=True)
    if not plugin:
        early_checks.check_names(run)
    load_plugins(plugin)
    from nmt_lstm.model.build import check_parts

    check_parts(run.model)

    from nmt_lstm.training.output_folder import checkpoint_path

    continues = resume and checkpoint_path(folder).exists()
    if check_start(run, folder, resume=resume).is_first and not continues:
        for sentence in chosen:
            note(sentence)

    from rich.console import Console

    from nmt_lstm.training.fit import fit

    # A run that is resumed has its validation text; if this is not its text, nothing may be written.
    with held.placed() if held is not None and not continues else nullcontext():
        fit(
            run,
            folder,
            resume=resume,
            console=Console(stderr=True),
            accept_changed_plugins=accept_changed_plugins,
        )


def check_start(run: RunSettings, folder: Path, *, resume: bool) -> Launch:
    """Fail early on what `fit` would reject, before anything is read or shown, and return how this process was launched.

    Raises:
        ConfigurationError: there is a training in the folder already, or one to which the settings leave nothing to do.
        FolderInUseError: another process trains into the folder.
        LaunchError: a launcher has started a different number of processes.
        ModelFolderError: the folder or its checkpoint belongs to something else.
        ResourceError: there are fewer devices than asked for.
    """
    from nmt_lstm.training.devices import choose_devices
    from nmt_lstm.training.launch import find_launch, ignore_stray

    devices = choose_devices(run.training)
    launch = find_launch(devices.count, devices.nodes)
    # Lightning reads the same variables when it is imported, below and in `fit`.
    ignore_stray(launch)
    if launch.is_first:
        from nmt_lstm.training.output_folder import check_not_held, check_output, checkpoint_path
        from nmt_lstm.training.resumption import check_resumable

        check_not_held(folder)
        check_output(folder, resume=resume)
        check_resumable(run.training, folder)
        if resume and not checkpoint_path(folder).exists():
            logger.warning(
                "there is nothing to resume in '%s'; a training run starts from the beginning.", folder
            )
    else:
        show_log(errors_only=True)
    return launch


def read_run(run_file: Path, settings: list[str]) -> RunSettings:
    """Read the run file; a file that is not one may be training text, given without its option.

    Raises:
        ConfigurationError: it cannot be read, or settings are wrong.
    """
    from nmt_lstm.config.load import load_run

    try:
        return load_run(run_file, settings)
    except ConfigurationError as problem:
        if run_file.suffix == ".toml" or not run_file.is_file():
            raise
        raise ConfigurationError(
            f"{problem} If it is training text, name both sides: nmt-lstm train -s {quoted(run_file)} -t FILE"
        ) from problem


def run_without_file(
    texts: dict[str, Path | None], settings: list[str], folder: Path, *, resume: bool
) -> tuple[RunSettings, list[str], HeldOut | None]:
    """Choose the settings by the size of the text; return them with what to say about them and what is held out.

    Raises:
        ConfigurationError: text files are missing on the command line.
        DataError: a text is missing, unreadable, empty or too small, or its sides differ in length.
    """
    options = {"train_source": "-s", "train_target": "-t", "valid_source": "--valid-source",
               "valid_target": "--valid-target"}  # fmt: skip
    if all(path is None for path in texts.values()):
        raise ConfigurationError(
            "nothing to train on: name a run file, or the text with -s and -t. See 'nmt-lstm train --help'."
        )
    without_validation = texts["valid_source"] is None and texts["valid_target"] is None
    needed = [
        "train_source",
        "train_target",
        *([] if without_validation else ["valid_source", "valid_target"]),
    ]
    missing = [options[name] for name in needed if texts[name] is None]
    if missing:
        raise ConfigurationError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: without a run file, name both sides of "
            f"the training text with -s and -t, and of the validation text both or neither."
        )
    from nmt_lstm.config.defaults import choose_settings, describe_settings
    from nmt_lstm.config.load import make_run
    from nmt_lstm.text.corpus import check_lengths, count_usable, language_of
    from nmt_lstm.text.held_out import FOLDER, hold_out

    files = {name: path for name, path in texts.items() if path is not None}
    source, target = files["train_source"], files["train_target"]
    early_checks.check_files(*files.values(), reread=True)
    said: list[str] = []
    held: HeldOut | None = None
    if without_validation:
        held = hold_out(source, target, folder / FOLDER, reuse=resume)
        files |= {"valid_source": held.source, "valid_target": held.target}
        said.append(held.describe())
        pairs = held.trained_on
    else:
        pairs = count_usable(source, target)
        check_lengths(files["valid_source"], files["valid_target"])
    data: dict[str, Any] = {name: str(path) for name, path in files.items()}
    data["exclude_validation"] = held is not None
    data["source_language"], data["target_language"] = language_of(source), language_of(target)
    values = {**choose_settings(pairs), "data": {**data, "prepared": str(folder.parent / "prepared")}}
    run = make_run(values, settings, origin="settings")
    advice = "Change any of this with --set, such as --set training.epochs=5; 'nmt-lstm config --explain' lists all.\n"
    return run, [*said, *describe_settings(pairs, run), advice], held


def default_output(run_file: Path | None, source: Path | None, target: Path | None) -> Path:
    """Return runs/NAME, named after the run file or the languages."""
    if run_file is not None:
        return Path("runs", run_file.stem)
    from nmt_lstm.text.corpus import language_of

    names = [language_of(path) for path in (source, target) if path is not None]
    return Path("runs", "-".join(names) if all(names) and len(names) == 2 else "model")
