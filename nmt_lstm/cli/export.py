"""``nmt-lstm export``: a trained model made small and fast for translation on a processor."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import Plugins, TrustPlugins, load_plugins
from nmt_lstm.cli.messages import note, quoted
from nmt_lstm.errors import ConfigurationError, DataError, FolderInUseError

if TYPE_CHECKING:
    from nmt_lstm.checkpoint.model_folder import ModelFolder
    from nmt_lstm.inference.onnx.folder import OnnxPrecision
    from nmt_lstm.inference.shortlist import Shortlist
    from nmt_lstm.numerics.inference_linear import InferencePrecision

__all__ = ["export"]

EXAMPLE = """\b
Examples:
  nmt-lstm export -m runs/de-en -o de-en.nmt
  nmt-lstm export -m runs/de-en -o de-en.nmt --shortlist 0
  nmt-lstm translate -m de-en.nmt < in.de > out.en
  nmt-lstm export -m runs/de-en -o de-en-onnx --format onnx
\b
The folder holds int8 weights, input products as tables, and a shortlist: for
each source piece the target pieces that translate it, learnt on the training
text of the run (or that of -s and -t). It is for processors, and cannot be
trained further. --format onnx writes the encoder and a decoder step instead,
for onnxruntime in any language; translate -m takes that folder too."""

logger = logging.getLogger(__name__)

DEFAULT_SHORTLIST = 20
DEFAULT_FREQUENT = 200


class ExportFormat(StrEnum):
    """What is written."""

    nmt = "nmt"
    onnx = "onnx"


class ExportPrecision(StrEnum):
    """Number formats of exported weights."""

    int8 = "int8"
    bf16 = "bf16"
    float32 = "float32"


def export(
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="FOLDER", help="Folder of the trained model.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write.")],
    format: Annotated[  # noqa: A002 - the option's name
        ExportFormat,
        typer.Option("--format", help="A folder for this program, or ONNX graphs for onnxruntime."),
    ] = ExportFormat.nmt,
    precision: Annotated[
        ExportPrecision | None,
        typer.Option(
            "--precision",
            help="Arithmetic; int8 is smallest, and fastest where the processor has it. "
            "[default: int8 if fast here, else float32; onnx: float32]",
        ),
    ] = None,
    shortlist: Annotated[
        int | None,
        typer.Option(
            "--shortlist",
            min=0,
            metavar="N",
            help="Translations per source piece; 0: score all pieces. [default: 20; onnx: 0]",
        ),
    ] = None,
    frequent: Annotated[
        int | None,
        typer.Option(
            "--frequent",
            min=0,
            metavar="N",
            help="Most frequent pieces on every shortlist. [default: 200]",
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--source",
            "-s",
            metavar="FILE",
            help="Source text to learn the shortlist from. [default: the run's]",
        ),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option("--target", "-t", metavar="FILE", help="Its translations. [default: the run's]"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the exported model that -o holds already.")
    ] = False,
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Write a trained model for fast translation on a processor."""
    if (source is None) != (target is None):
        raise ConfigurationError(
            "--source and --target go together: both sides of the text that the shortlist is learnt from."
        )
    if format is ExportFormat.onnx:
        _check_for_onnx(precision, [shortlist, frequent, source])
    early_checks.check_models([model])
    early_checks.check_export_folder(output, model, overwrite=overwrite)
    early_checks.check_files(source, target, reread=True)
    warn_of_training(model)
    load_plugins(plugin, trusted=[model] if trust_plugins else [])
    from nmt_lstm.checkpoint import model_folder
    from nmt_lstm.inference.exported import write_exported
    from nmt_lstm.numerics.precision import slow_bf16

    folder = model_folder.read(model)
    folder.check_trained()
    if format is ExportFormat.onnx:
        from nmt_lstm.inference.onnx.folder import write_onnx

        written = "float32" if precision is None else precision.value
        difference = write_onnx(output, folder, cast("OnnxPrecision", written))
        note(f"onnxruntime scores as the model does: log-probabilities differ by {difference:.1g} on average")
        written += " ONNX graphs"
    else:
        chosen = None
        if shortlist != 0:
            count = DEFAULT_SHORTLIST if shortlist is None else shortlist
            always = DEFAULT_FREQUENT if frequent is None else frequent
            chosen = learnt_shortlist(folder, source, target, count, always)
        if precision is ExportPrecision.bf16 and (slow := slow_bf16()):
            # The folder may be for another machine.
            logger.warning("%s; int8 and float32 translate faster here.", slow)
        written = (precision or fastest_precision()).value
        write_exported(output, folder, cast("InferencePrecision", written), chosen)
    size = sum(file.stat().st_size for file in output.iterdir() if file.is_file())
    note(f"{output}: {size / 2**20:.0f} MiB in {written}. Translate with it:")
    # Graphs are the whole model: what computes them is needed no more.
    trusted = model_folder.trust_option(output) if format is ExportFormat.nmt else ""
    command = f"nmt-lstm translate -m {quoted(output)}{trusted}"
    note(f"  {command} < in.txt > out.txt")
    advice = model_folder.class_advice(output, command) if trusted else ""
    if advice:
        note(f"\n{advice}")


def warn_of_training(model: Path) -> None:
    """Warn if a process still trains the model: a better one may come."""
    from nmt_lstm.corpora.builtin import model_path
    from nmt_lstm.training.output_folder import check_not_held

    try:
        check_not_held(model_path(model))
    except FolderInUseError:
        logger.warning(
            "'%s' is still being trained; the model that it holds now is exported. Export again when training has ended.",
            model,
        )


def fastest_precision() -> ExportPrecision:
    """Return int8 where the processor multiplies it fast, as nearly all do, and float32 elsewhere."""
    from nmt_lstm.numerics.int8 import int8_is_fast

    if int8_is_fast():
        return ExportPrecision.int8
    note(
        "This processor or PyTorch has no fast products of int8, so the model is exported in float32. For a different "
        "machine: --precision int8"
    )
    return ExportPrecision.float32


def _check_for_onnx(precision: ExportPrecision | None, of_shortlists: Sequence[int | Path | None]) -> None:
    """Refuse options that ONNX graphs have no use for."""
    if precision is ExportPrecision.bf16:
        raise ConfigurationError(
            "--format onnx writes float32 or int8, not bf16; choose one of them by --precision."
        )
    if any(of_shortlists):
        raise ConfigurationError(
            "--format onnx scores the whole vocabulary and has no shortlist; leave --shortlist, --frequent, -s and -t "
            "out."
        )


def learnt_shortlist(
    folder: ModelFolder, source: Path | None, target: Path | None, count: int, frequent: int
) -> Shortlist:
    """Learn a shortlist from parallel text and say how much of the validation text it covers."""
    from nmt_lstm.inference.lexicon import learn_lexicon
    from nmt_lstm.inference.shortlist import Shortlist
    from nmt_lstm.text.cleaning import pair_digests

    data, subwords = folder.run.data, folder.subwords
    valid = data.validation_text()
    is_there = all(path.exists() for path in valid)
    held_out = source is None and data.exclude_validation and is_there
    try:
        lexicon = learn_lexicon(
            piece_pairs(
                folder,
                source or data.train_source,
                target or data.train_target,
                excluded=pair_digests(*valid) if held_out else frozenset(),
            ),
            source_size=subwords.source.size,
            target_size=subwords.target.size,
            count=count,
        )
    except DataError as problem:
        if source is not None:
            raise
        raise DataError(
            f"{problem} The shortlist is learnt from the training text: name it with -s and -t, or export without a "
            f"shortlist by --shortlist 0."
        ) from problem
    learnt = Shortlist.of(lexicon, frequent=frequent, target_size=subwords.target.size)
    if is_there:
        share, size = learnt.coverage(piece_pairs(folder, *valid))
        note(
            f"shortlist: {size:,.0f} of {subwords.target.size:,} pieces for a sentence of the validation text, "
            f"{share:.1%} of the pieces of its reference among them"
        )
    return learnt


def piece_pairs(
    folder: ModelFolder, source: Path, target: Path, *, excluded: AbstractSet[bytes] = frozenset()
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the pieces of each pair of two files, but not of pairs whose digests are `excluded`."""
    from nmt_lstm.text.cleaning import pair_digest
    from nmt_lstm.text.corpus import read_parallel

    for one, other in read_parallel(source, target):
        if excluded and pair_digest(one, other) in excluded:
            continue
        yield folder.subwords.source.encode(one), folder.subwords.target.encode(other)
