"""Puts a public corpus into a folder: from files at hand or from its origin, checked, one text file per split and side."""

from __future__ import annotations

import argparse
import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nmt_lstm.corpora.download import fetch
from nmt_lstm.errors import DataError, NmtLstmError, ResourceError
from nmt_lstm.files.atomic import replacing
from nmt_lstm.text.text_file import read_blocks, read_lines

__all__ = ["CorpusFile", "main", "place_corpus"]

log = logging.getLogger(__name__)
Mend = Callable[[str], str]


@dataclass(frozen=True)
class CorpusFile:
    """A text of a corpus: `name` in the folder, where it comes from, and what it must be.

    `url` ends with `name` or with `name` and ``.gz``. `sha256` is that of the unpacked text as its origin gives it;
    None where nobody has checked it, and then only the number of lines is. `optional` files are left out where a
    folder at hand lacks them.
    """

    name: str
    url: str
    lines: int
    sha256: str | None = None
    optional: bool = False


def place_corpus(
    files: Sequence[CorpusFile],
    folder: Path,
    *,
    source: Path | None = None,
    force: bool = False,
    mend: Mend | None = None,
    say: Callable[[str], None] = log.info,
) -> None:
    """Put `files` into `folder`, taken from the folder `source` or downloaded; `mend` changes each line.

    A file appears under its name only when it is whole. A download that is not what it should be is removed, so that
    the next call fetches it anew.

    Raises:
        DataError: a file is missing, cannot be fetched or read, or is not the known one and `force` is not given.
        ResourceError: a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResourceError(f"Cannot make the folder '{folder}': {error.strerror or error}.") from None
    for file in files:
        path = _at_hand(file, source) if source else _downloaded(file, folder, force=force)
        if path is None:
            say(f"{file.name} is not in {source} and left out; training does not need it")
            continue
        try:
            digest, lines = _measured(path)
        except DataError:
            if source is None:
                path.unlink()
            raise
        problem = _problem(file, digest, lines)
        if problem and not force:
            if source is None:
                path.unlink()
            raise DataError(f"{problem} Use --force to take it as it is.")
        if problem:
            say(f"warning: {problem}")
        _write(_mended(path, mend) if mend else read_blocks(path), folder / file.name)
        checked = "checked" if file.sha256 and not problem else f"not checked: its sha256 is {digest}"
        say(f"{folder / file.name}: {lines:,} lines ({checked})")


def main(
    files: Sequence[CorpusFile],
    folder: Path,
    *,
    name: str,
    mend: Mend | None = None,
    arguments: Sequence[str] | None = None,
) -> int:
    """The command line of a corpus's prepare.py; returns the exit status."""
    parser = argparse.ArgumentParser(description=f"Put {name} into {folder}.")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FOLDER", help="take the files at hand in FOLDER"
    )
    parser.add_argument("--force", action="store_true", help="take files that are not the known ones")
    parser.add_argument(
        "--output", type=Path, default=folder, help="where to put them (default: %(default)s)"
    )
    given = parser.parse_args(arguments)
    try:
        place_corpus(files, given.output, source=given.source, force=given.force, mend=mend, say=_to_stdout)
    except NmtLstmError as error:
        parser.exit(error.exit_status, f"error: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "\nstopped; the same command goes on from here\n")
    return 0


def _to_stdout(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201 - the voice of the prepare.py scripts


def _at_hand(file: CorpusFile, source: Path) -> Path | None:
    for path in (source / file.name, source / f"{file.name}.gz"):
        if path.is_file():
            return path
    if file.optional and source.is_dir():
        return None
    raise DataError(
        f"'{source}' has neither {file.name} nor {file.name}.gz; name the folder that has with --from."
    )


def _downloaded(file: CorpusFile, folder: Path, *, force: bool) -> Path:
    packed = folder / "downloads" / file.url.rsplit("/", 1)[-1]
    # The checksum is of the unpacked text.
    wanted = None if force or packed.suffix == ".gz" else file.sha256
    fetch(file.url, packed, wanted)
    return packed


def _measured(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of the unpacked text and the number of its lines."""
    digest = hashlib.sha256()
    lines, last = 0, b"\n"
    for block in read_blocks(path):
        digest.update(block)
        lines += block.count(b"\n")
        last = block[-1:]
    return digest.hexdigest(), lines + (last != b"\n")


def _problem(file: CorpusFile, digest: str, lines: int) -> str:
    """Why the text is not the known one; empty if it is."""
    if lines != file.lines:
        return f"{file.name} has {lines:,} lines where {file.lines:,} are expected."
    if file.sha256 is not None and digest != file.sha256:
        return f"{file.name} has the sha256 {digest} where {file.sha256} is expected."
    return ""


def _mended(path: Path, mend: Mend) -> Iterator[bytes]:
    for line in read_lines(path):
        # An entity such as &#10; must not become a line of its own: all later pairs would be shifted.
        yield (mend(line).replace("\n", " ") + "\n").encode("utf-8")


def _write(blocks: Iterator[bytes], target: Path) -> None:
    try:
        with replacing(target) as partial, partial.open("wb") as file:
            file.writelines(blocks)
    except OSError as error:
        raise ResourceError(f"Cannot write '{target}': {error.strerror or error}.") from None
