"""``nmt-lstm train``: train from a run file, or directly from text files."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import (
    CELL,
    AcceptChangedPlugins,
    Overrides,
    Plugins,
    load_plugins,
    parse_time_limit,
)
from nmt_lstm.cli.chosen_settings import run_without_file
from nmt_lstm.cli.messages import note, quoted, show_log
from nmt_lstm.cli.output_folders import check_training_folder
from nmt_lstm.cli.text_options import (
    Columns,
    OptionalRunFile,
    Sources,
    Stream,
    TabSeparated,
    Targets,
    ValidSources,
    ValidTargets,
    check_stream,
    default_output,
    text_files,
    text_overrides,
)
from nmt_lstm.config.tasks import TASKS, TaskName
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.training.launch import may_be_one_of_several

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings
    from nmt_lstm.text.held_out import HeldOut
    from nmt_lstm.training.launch import Launch

__all__ = ["train"]

logger = logging.getLogger(__name__)

EPILOG = """\b
Examples:
  nmt-lstm train -s train.de -t train.en -o runs/de-en
  nmt-lstm train -s train.de -t train.en \\
      --valid-source val.de --valid-target val.en -o runs/de-en
  nmt-lstm train -s news.de talks.de -t news.en talks.en -o runs/de-en
  nmt-lstm train --tsv pairs.tsv.gz -o runs/de-en
  nmt-lstm train run.toml -o runs/de-en --set model.dropout=0.3
  nmt-lstm train run.toml -o runs/de-en --resume
  opustrainer-train -c mix.yml \\
      nmt-lstm train run.toml --stream - -o runs/de-en
  nmt-lstm train -s news.de -t news.en -o runs/news --init-from runs/de-en
  nmt-lstm train run.toml -o runs/mgu --plugin mgu.py --cell mgu
  nmt-lstm train --task language-model -s text.en -o runs/lm
  nmt-lstm train --task classification --tsv reviews.tsv -o runs/sentiment
  nmt-lstm train --task forecast -s series.csv -o runs/series"""


class TrainingPrecision(StrEnum):
    """Number formats of training."""

    auto = "auto"
    float32 = "float32"
    bf16 = "bf16"
    fp16 = "fp16"


def train(
    run_file: OptionalRunFile = None,
    source: Sources = None,
    target: Targets = None,
    valid_source: ValidSources = None,
    valid_target: ValidTargets = None,
    tsv: TabSeparated = None,
    columns: Columns = None,
    stream: Stream = "",
    task: Annotated[
        TaskName | None,
        typer.Option("--task", help="What to train. [default: translation, or that of the run file]"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Model folder to write. [default: runs/NAME]"),
    ] = None,
    overrides: Overrides = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the training run in the folder.")
    ] = False,
    time_limit: Annotated[
        str | None,
        typer.Option(
            "--time-limit",
            metavar="TIME",
            help='Total training time, including runs before --resume, such as "25m" or "2h".',
        ),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(
            "--devices",
            min=1,
            metavar="N",
            help="GPUs, or CPU processes, per machine.",
            rich_help_panel="Machines",
        ),
    ] = None,
    nodes: Annotated[
        int | None, typer.Option("--nodes", min=1, metavar="N", help="Machines.", rich_help_panel="Machines")
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            metavar="NAME",
            help="Distributed strategy: auto, ddp or ddp_find_unused_parameters_true.",
            rich_help_panel="Machines",
        ),
    ] = None,
    precision: Annotated[
        TrainingPrecision | None, typer.Option("--precision", help="Number format of training.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, metavar="N", help="Seed of all random numbers.")
    ] = None,
    cell: Annotated[str | None, CELL] = None,
    init_from: Annotated[
        Path | None,
        typer.Option(
            "--init-from",
            metavar="FOLDER",
            help="Fine-tune this model, or builtin:en-ja; without a run file, with its network and vocabulary.",
        ),
    ] = None,
    plugin: Plugins = None,
    accept_changed_plugins: AcceptChangedPlugins = False,
) -> None:
    """Train a model to translate, write, classify or forecast.

    Without a run file, settings are chosen from the size of the text and shown. Without validation text, part of the
    training text is held out. The two sides are paired line by line; files may be plain, .gz, .xz, .bz2 or .zst. A
    language model has one side, -s; a forecaster a CSV file. Options with FILE... take several files: -s a.de b.de -t a.en b.en.
    """
    parse_time_limit(time_limit)
    check_stream(stream, run_file)
    if may_be_one_of_several():
        # PyTorch reads it when it is imported. It warns of names and ports that do not answer yet, which is normal at the start.
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    texts = text_files(
        source, target, valid_source, valid_target, tsv=tsv, columns=columns, task=task or "translation"
    )
    option_values = {
        "training.time_limit": time_limit,
        "training.devices": devices,
        "training.nodes": nodes,
        "training.strategy": strategy,
        "training.precision": precision.value if precision else None,
        "seed": seed,
        "training.init_from": init_from,
        "data.stream": stream or None,
        **({"task": task} if run_file else {}),
    }
    # The last setting of a key counts, so --set overrides the options that set several keys, such as --cell.
    settings = [f"{key}={value}" for key, value in option_values.items() if value is not None]
    settings += text_overrides(texts) if run_file else []
    task = (task or "translation") if run_file is None else read_run(run_file, settings).task
    parts = [part for part in ("model.encoder", "model.decoder") if part not in TASKS[task].unused]
    settings += [f"{part}.cell={cell}" for part in parts if cell is not None]
    settings += overrides or []
    folder = output or default_output(run_file, texts["train_source"], texts["train_target"])
    check_training_folder(folder, resume=resume)
    description: list[str] = []
    held_out: HeldOut | None = None
    if run_file:
        run = read_run(run_file, settings)
    else:
        run, description, held_out = run_without_file(
            texts, settings, folder, resume=resume, base=init_from, task=task
        )
    early_checks.check_task(run)
    early_checks.check_files(*run.data.training_files(), reread=True)
    if held_out is None:  # held-out files are not written yet
        early_checks.check_files(*run.data.validation_files(), reread=True)
    launch = check_start(run, folder, plugin, resume=resume)
    from nmt_lstm.training.output_folder import has_checkpoint

    continues = resume and has_checkpoint(folder)
    if launch.is_first and not continues:
        for line in description:
            note(line)

    from nmt_lstm.training.fit import fit

    # A resumed run already has its held-out text; a different one must not replace it.
    with held_out.files() if held_out is not None and not continues else nullcontext():
        fit(run, folder, resume=resume, accept_changed_plugins=accept_changed_plugins)


def check_start(run: RunSettings, folder: Path, plugins: Sequence[Path] | None, *, resume: bool) -> Launch:
    """Load plugins, raise what `fit` would raise before it reads text, and return how this process was launched.

    Args:
        run: the settings.
        folder: the model folder.
        plugins: the files of ``--plugin``.
        resume: whether to continue the run in the folder.

    Raises:
        ConfigurationError: the folder has a training run already, the settings leave nothing to train, or an
            optimizer, a logger, a callback or one of their options is unknown.
        DataError: the vocabularies that the settings name cannot be read.
        FolderInUseError: another process is training into the folder.
        LaunchError: a launcher has started a different number of processes.
        ModelFolderError: the folder has unrelated files, or its checkpoint belongs to a different run.
        PluginError: a cell, an attention, an encoder or one of its options is unknown, or a plugin cannot be loaded.
        ResourceError: there are fewer devices than requested.
    """
    if not plugins:
        early_checks.check_names(run)
    if TASKS[run.task].is_text:
        from nmt_lstm.corpora.builtin import with_builtin_pieces
        from nmt_lstm.text.preparation import check_vocabulary

        check_vocabulary(run.data, with_builtin_pieces(run).subwords)
    load_plugins(plugins)
    from nmt_lstm.training.devices import choose_devices
    from nmt_lstm.training.launch import check_launcher, find_launch, ignore_stray
    from nmt_lstm.training.output_folder import check_not_held, check_output, has_checkpoint
    from nmt_lstm.training.run_checks import check_run

    check_run(
        run.training,
        run.search,
        task=run.task,
        model=run.model,
        continues=resume and has_checkpoint(folder),
    )
    check_launcher(run.training.devices, run.training.nodes)
    devices = choose_devices(run.training)
    if run.data.stream:
        from nmt_lstm.training.stream_data import check_stream_devices

        check_stream_devices(devices.world_size)
    launch = find_launch(devices.count, devices.nodes)
    # Before Lightning is imported, which reads the same environment variables.
    ignore_stray(launch)
    if not launch.is_first:
        show_log(errors_only=True)
        return launch
    from nmt_lstm.training.resumption import check_resumable

    check_not_held(folder)
    check_output(folder, resume=resume)
    check_resumable(run.training, folder)
    if resume and not has_checkpoint(folder):
        logger.warning("nothing to resume in '%s'; starting from the beginning.", folder)
    return launch


def read_run(run_file: Path, settings: list[str]) -> RunSettings:
    """Read a run file, or explain how to name training text that was given in its place.

    Raises:
        ConfigurationError: the file cannot be read, or a setting is invalid.
    """
    from nmt_lstm.config.load import load_run

    try:
        return load_run(run_file, settings)
    except ConfigurationError as problem:
        if run_file.suffix == ".toml" or not run_file.is_file():
            raise
        raise ConfigurationError(
            f"{problem} If this is training text, name both sides: nmt-lstm train -s {quoted(run_file)} -t FILE"
        ) from problem
