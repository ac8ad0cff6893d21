"""Puts a public corpus into a folder: from files at hand or from its origin, checked, one text file per split and side."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nmt_lstm.errors import DataError, NmtLstmError
from nmt_lstm.text.download import fetch

__all__ = ["CorpusFile", "main", "place_corpus"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CorpusFile:
    """A text of a corpus: `name` in the folder, where it comes from, and what it must be.

    `sha256` is that of the unpacked text as its origin gives it; None where nobody has checked it, and then only the
    number of lines is.
    """

    name: str
    url: str
    lines: int
    sha256: str | None = None


def place_corpus(
    files: Sequence[CorpusFile],
    folder: Path,
    *,
    source: Path | None = None,
    force: bool = False,
    mend: Callable[[str], str] | None = None,
    say: Callable[[str], None] = log.info,
) -> None:
    """Put `files` into `folder`, taken from the folder `source` or downloaded; `mend` changes each line.

    Raises:
        DataError: a file is missing or is not what it should be, and `force` is not given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        text = _from_folder(file, source) if source else _from_origin(file, folder)
        digest = hashlib.sha256(text).hexdigest()
        problem = _problem(file, text, digest)
        if problem and not force:
            raise DataError(f"{problem} Use --force to take it as it is.")
        if problem:
            say(f"warning: {problem}")
        if mend is not None:
            text = "\n".join(mend(line) for line in text.decode("utf-8").split("\n")).encode("utf-8")
        target = folder / file.name
        partial = target.with_name(target.name + ".writing")
        partial.write_bytes(text)
        partial.replace(target)
        checked = "checked" if file.sha256 else f"not checked: its sha256 is {digest}"
        say(f"{target}: {_lines(text):,} lines ({checked})")


def main(
    files: Sequence[CorpusFile],
    folder: Path,
    *,
    name: str,
    mend: Callable[[str], str] | None = None,
    arguments: Sequence[str] | None = None,
) -> int:
    """The command line of a corpus's prepare.py; returns the exit status."""
    parser = argparse.ArgumentParser(description=f"Put {name} into {folder}.")
    parser.add_argument("--from", dest="source", type=Path, metavar="FOLDER", help="take the files at hand in FOLDER")
    parser.add_argument("--force", action="store_true", help="take files that are not the known ones")
    parser.add_argument("--output", type=Path, default=folder, help="where to put them (default: %(default)s)")
    given = parser.parse_args(arguments)
    try:
        place_corpus(files, given.output, source=given.source, force=given.force, mend=mend, say=_to_stdout)
    except NmtLstmError as error:
        parser.exit(error.exit_status, f"error: {error}\n")
    return 0


def _to_stdout(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201 - the voice of the prepare.py scripts


def _from_folder(file: CorpusFile, source: Path) -> bytes:
    for path, unpack in ((source / file.name, bytes), (source / f"{file.name}.gz", gzip.decompress)):
        if path.is_file():
            try:
                return unpack(path.read_bytes())
            except (OSError, EOFError) as error:
                raise DataError(f"{path} cannot be read: {error}.") from None
    raise DataError(f"{source} has neither {file.name} nor {file.name}.gz; name the folder that has with --from.")


def _from_origin(file: CorpusFile, folder: Path) -> bytes:
    packed = folder / "downloads" / file.url.rsplit("/", 1)[-1]
    packed.parent.mkdir(exist_ok=True)
    fetch(file.url, packed, file.sha256 if packed.suffix != ".gz" else None)
    return _from_folder(file, packed.parent)


def _problem(file: CorpusFile, text: bytes, digest: str) -> str:
    """Why the text is not the known one; empty if it is."""
    lines = _lines(text)
    if lines != file.lines:
        return f"{file.name} has {lines:,} lines where {file.lines:,} are expected."
    if file.sha256 is not None and digest != file.sha256:
        return f"{file.name} has the sha256 {digest} where {file.sha256} is expected."
    return ""


def _lines(text: bytes) -> int:
    return text.count(b"\n") + (bool(text) and not text.endswith(b"\n"))
