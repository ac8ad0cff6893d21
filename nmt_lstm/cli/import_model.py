"""``nmt-lstm import``: a model of another toolkit as a model folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nmt_lstm.cli.messages import note, quoted
from nmt_lstm.cli.output_folders import check_import_folder
from nmt_lstm.errors import ConfigurationError

__all__ = ["EPILOG", "import_model"]

EPILOG = """\b
Examples:
  nmt-lstm import joeynmt_run -o runs/imported
  nmt-lstm import opennmt model_step_50000.pt -o runs/imported
  nmt-lstm import model.npz --vocabulary source.spm --vocabulary target.spm \\
    -o runs/imported
  nmt-lstm translate -m runs/imported < in.txt > out.txt
\b
Greedy translations are those of the toolkit itself. A model with parts that
cannot be expressed is refused, with a list of them. No code in the files is
run. See docs/importing.md."""

PAIR = 2


def import_model(
    first: Annotated[
        str,
        typer.Argument(
            metavar="TOOLKIT|PATH",
            help="marian, opennmt, eole or joeynmt; or the model itself, if its files show the toolkit.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write.")],
    second: Annotated[
        str | None, typer.Argument(metavar="PATH", help="The file or folder of the model, after its toolkit.")
    ] = None,
    vocabulary: Annotated[
        list[Path] | None,
        typer.Option(
            "--vocabulary",
            metavar="FILE",
            help="Vocabulary or SentencePiece model, if the files have none; twice for source and target.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model in the folder.")] = False,
) -> None:
    """Convert a model of another toolkit."""
    toolkit, path = ("", Path(first)) if second is None else (first, Path(second))
    vocabularies = vocabulary or []
    if len(vocabularies) > PAIR:
        raise ConfigurationError(
            f"--vocabulary was given {len(vocabularies)} times; give it once for both sides, or for source and target.",
            key="--vocabulary",
        )
    check_import_folder(output, path, overwrite=overwrite)
    from nmt_lstm.checkpoint.manifest import Manifest
    from nmt_lstm.importing import toolkits
    from nmt_lstm.importing.writing import write_imported

    imported = toolkits.import_model(path, toolkit=toolkit, vocabularies=vocabularies)
    write_imported(output, imported, origin=path)
    parameters = Manifest.read(output).parameters
    note(f"{output}: a model of {imported.toolkit} with {parameters:,} parameters.")
    for each in imported.notes:
        note(f"Note: {each}")
    note(f"To translate with it:\n  nmt-lstm translate -m {quoted(output)} < in.txt > out.txt")
