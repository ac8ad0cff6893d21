"""``nmt-lstm export``: a trained model converted to a small one that translates fast on a CPU."""

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
from nmt_lstm.cli.output_folders import check_export_folder
from nmt_lstm.errors import ConfigurationError, DataError, FolderInUseError

if TYPE_CHECKING:
    from nmt_lstm.checkpoint.model_folder import ModelFolder
    from nmt_lstm.config.text_schema import ParallelSettings
    from nmt_lstm.inference.onnx.folder import OnnxPrecision
    from nmt_lstm.inference.shortlist import Shortlist
    from nmt_lstm.numerics.inference_linear import InferencePrecision

__all__ = ["export"]

EPILOG = """\b
Examples:
  nmt-lstm export -m runs/de-en -o de-en.nmt
  nmt-lstm export -m runs/de-en -o de-en.nmt --shortlist 0
  nmt-lstm translate -m de-en.nmt < in.de > out.en
  nmt-lstm export -m runs/de-en -o de-en-onnx --format onnx
\b
The folder has int8 weights, precomputed input products, and a shortlist: for
each source piece, the target pieces that may translate it, learned from the
training text of the run (or from -s and -t). It runs on CPUs and cannot be
trained further. --format onnx writes the encoder and a decoder step as graphs
for onnxruntime, which programs in other languages can run, too."""

logger = logging.getLogger(__name__)

DEFAULT_SHORTLIST = 20
DEFAULT_FREQUENT = 200


class ExportFormat(StrEnum):
    """Kinds of exported models."""

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
        typer.Option("--format", help="Model folder for nmt-lstm, or ONNX graphs for onnxruntime."),
    ] = ExportFormat.nmt,
    precision: Annotated[
        ExportPrecision | None,
        typer.Option(
            "--precision",
            help="Number format of the weights. [default: int8 where it is fast, else float32; onnx: float32]",
        ),
    ] = None,
    shortlist: Annotated[
        int | None,
        typer.Option(
            "--shortlist",
            min=0,
            metavar="N",
            help="Target pieces per source piece; 0 scores the whole vocabulary. [default: 20; onnx: 0]",
        ),
    ] = None,
    frequent: Annotated[
        int | None,
        typer.Option(
            "--frequent",
            min=0,
            metavar="N",
            help="Most frequent target pieces, added to every shortlist. [default: 200]",
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--source",
            "-s",
            metavar="FILE",
            help="Source text for learning the shortlist. [default: the training text]",
        ),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option("--target", "-t", metavar="FILE", help="Its translations. [default: the training text]"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an exported model in the folder.")
    ] = False,
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Convert a trained model for fast translation on a CPU."""
    if (source is None) != (target is None):
        raise ConfigurationError(
            "--source and --target go together: name both sides of the text for the shortlist, or neither."
        )
    if format is ExportFormat.onnx:
        _check_for_onnx(precision, [shortlist, frequent, source])
    early_checks.check_models([model])
    check_export_folder(output, model, overwrite=overwrite)
    early_checks.check_files(source, target, reread=True)
    _warn_if_training(model)
    load_plugins(plugin, trusted=[model] if trust_plugins else [])
    from nmt_lstm.checkpoint import model_folder
    from nmt_lstm.inference.exported import write_exported
    from nmt_lstm.numerics.precision import slow_bf16

    folder = model_folder.read(model)
    folder.check_trained()
    if format is ExportFormat.onnx:
        from nmt_lstm.inference.onnx.folder import write_onnx

        number_format = "float32" if precision is None else precision.value
        difference = write_onnx(output, folder, cast("OnnxPrecision", number_format))
        note(f"The graphs give the model's scores: log probabilities differ by {difference:.1g} on average.")
        number_format += " ONNX graphs"
    else:
        learned = None
        if shortlist != 0:
            learned = learn_shortlist(
                folder,
                source,
                target,
                count=DEFAULT_SHORTLIST if shortlist is None else shortlist,
                frequent=DEFAULT_FREQUENT if frequent is None else frequent,
            )
        if precision is ExportPrecision.bf16 and (slow := slow_bf16()):
            # A warning only: the folder may be meant for a different machine.
            logger.warning("%s; int8 and float32 translate faster here.", slow)
        number_format = (precision or fastest_precision()).value
        write_exported(output, folder, cast("InferencePrecision", number_format), learned)
    size = sum(file.stat().st_size for file in output.iterdir() if file.is_file())
    note(f"{output}: {size / 2**20:.0f} MiB in {number_format}. To translate with it:")
    # ONNX graphs need no plugin code.
    trust = model_folder.trust_option(output) if format is ExportFormat.nmt else ""
    command = f"nmt-lstm translate -m {quoted(output)}{trust}"
    note(f"  {command} < in.txt > out.txt")
    advice = model_folder.class_advice(output, command) if trust else ""
    if advice:
        note(f"\n{advice}")


def _warn_if_training(model: Path) -> None:
    """Warn if a process is still training the model: a better one may follow."""
    from nmt_lstm.corpora.builtin import model_path
    from nmt_lstm.training.output_folder import check_not_held

    try:
        check_not_held(model_path(model))
    except FolderInUseError:
        logger.warning(
            "'%s' is still being trained; the best model so far is exported. Export again after training.",
            model,
        )


def fastest_precision() -> ExportPrecision:
    """Return int8 if int8 products are fast on this processor, as they are on nearly all; otherwise float32."""
    from nmt_lstm.numerics.int8 import int8_is_fast

    if int8_is_fast():
        return ExportPrecision.int8
    note(
        "int8 is slow on this processor or in this PyTorch, so the model is exported in float32. To export it for a "
        "different machine: --precision int8"
    )
    return ExportPrecision.float32


def _check_for_onnx(
    precision: ExportPrecision | None, shortlist_options: Sequence[int | Path | None]
) -> None:
    """Raise ConfigurationError for options that do not apply to ONNX graphs."""
    if precision is ExportPrecision.bf16:
        raise ConfigurationError(
            "--format onnx writes float32 or int8, not bf16; choose one of them with --precision."
        )
    if any(shortlist_options):
        raise ConfigurationError(
            "--format onnx scores the whole vocabulary without a shortlist; remove --shortlist, --frequent, -s and -t."
        )


def learn_shortlist(
    folder: ModelFolder, source: Path | None, target: Path | None, *, count: int, frequent: int
) -> Shortlist:
    """Learn a shortlist from parallel text, and report how much of the validation text it covers.

    Args:
        folder: of the model.
        source: source side of the text; None for the training text, without the pairs held out from it.
        target: target side of the text.
        count: target pieces for each source piece.
        frequent: most frequent target pieces on every shortlist.

    Raises:
        DataError: the text cannot be read.
    """
    from nmt_lstm.config.text_schema import ParallelSettings
    from nmt_lstm.inference.lexicon import learn_lexicon
    from nmt_lstm.inference.shortlist import Shortlist
    from nmt_lstm.text.cleaning import pair_digests
    from nmt_lstm.text.columns import file_of

    data, subwords = folder.run.data, folder.subwords
    sets = data.validation_sets()
    has_validation = all(file_of(path).exists() for path in data.validation_files())
    excluded: AbstractSet[bytes] = frozenset()
    if source is not None and target is not None:
        texts: Sequence[ParallelSettings] = [ParallelSettings(source=source, target=target)]
    else:
        texts = data.training_corpora()
        if data.exclude_validation and has_validation:
            excluded = frozenset().union(*(pair_digests(*each.sides()) for each in sets))
    try:
        lexicon = learn_lexicon(
            piece_pairs(folder, *texts, excluded=excluded),
            source_size=subwords.source.size,
            target_size=subwords.target.size,
            count=count,
        )
    except DataError as problem:
        if source is not None:
            raise
        raise DataError(
            f"{problem} The shortlist is learned from the training text: name it with -s and -t, or export without a "
            f"shortlist: --shortlist 0."
        ) from problem
    shortlist = Shortlist.of(lexicon, frequent=frequent, target_size=subwords.target.size)
    if has_validation:
        coverage, size = shortlist.coverage(piece_pairs(folder, *sets))
        note(
            f"Shortlist: on average {size:,.0f} of {subwords.target.size:,} pieces per validation sentence, with "
            f"{coverage:.1%} of the pieces of its reference."
        )
    return shortlist


def piece_pairs(
    folder: ModelFolder, *texts: ParallelSettings, excluded: AbstractSet[bytes] = frozenset()
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the ids of the pieces of each pair of texts, except pairs whose digest is in `excluded`."""
    from nmt_lstm.text.cleaning import pair_digest
    from nmt_lstm.text.corpus import read_parallel
    from nmt_lstm.text.tags import tag_pieces

    for text in texts:
        tag = tag_pieces(folder.subwords.source, text.tag)
        for source_line, target_line in read_parallel(*text.sides()):
            if excluded and pair_digest(source_line, target_line) in excluded:
                continue
            yield (
                [*tag, *folder.subwords.source.encode(source_line)],
                folder.subwords.target.encode(target_line),
            )
