"""Installs a public corpus in a folder: downloaded or from local files, checked, one text file per split and side."""

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
from nmt_lstm.plain_text import count_of
from nmt_lstm.text.text_file import read_blocks, read_lines

__all__ = ["CorpusFile", "install_corpus", "main"]

logger = logging.getLogger(__name__)
LineFix = Callable[[str], str]


@dataclass(frozen=True)
class CorpusFile:
    """A text file of a corpus.

    Args:
        name: its name in the folder.
        url: its address, which ends with `name` or with `name` and ``.gz``.
        lines: its number of lines.
        sha256: checksum of the uncompressed text; None if it is unknown, so that only the lines are checked.
        optional: whether it may be missing from a folder of local files.
    """

    name: str
    url: str
    lines: int
    sha256: str | None = None
    optional: bool = False


def install_corpus(
    files: Sequence[CorpusFile],
    folder: Path,
    *,
    source: Path | None = None,
    force: bool = False,
    fix_line: LineFix | None = None,
    say: Callable[[str], None] = logger.info,
) -> None:
    """Install `files` in `folder`; a file appears under its name only when it is complete.

    Args:
        files: the files of the corpus.
        folder: the folder, which is created if it is missing.
        source: folder of local files; None downloads them. An unexpected download is removed.
        force: accept files that are not the known ones.
        fix_line: changes each line.
        say: called with a sentence for each file.

    Raises:
        DataError: a file is missing, cannot be downloaded or read, or is not the known one (without `force`).
        ResourceError: a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResourceError(f"cannot create the folder '{folder}': {error.strerror or error}.") from None
    for file in files:
        path = _local(file, source) if source else _download(file, folder, force=force)
        if path is None:
            say(f"{file.name} is missing from {source} and skipped; training does not need it")
            continue
        try:
            digest, lines = _measure(path)
        except DataError:
            if source is None:
                path.unlink()
            raise
        # The known checksum is that of the original text, before lines are fixed.
        problem = _problem(file, digest, lines)
        if problem and not force:
            if source is None:
                path.unlink()
            raise DataError(f"{problem} Use --force to accept it.", path=path)
        if problem:
            say(f"warning: {problem}")
        _write(_fixed_lines(path, fix_line) if fix_line else read_blocks(path), folder / file.name)
        status = "checked" if file.sha256 and not problem else f"not checked: its SHA-256 is {digest}"
        say(f"{folder / file.name}: {count_of(lines, 'line')} ({status})")


def main(
    files: Sequence[CorpusFile],
    folder: Path,
    *,
    name: str,
    fix_line: LineFix | None = None,
    arguments: Sequence[str] | None = None,
) -> int:
    """Run the command line of a corpus's prepare.py and return the exit status."""
    parser = argparse.ArgumentParser(description=f"Install {name} in {folder}.")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FOLDER",
        help="use the local files in FOLDER instead of downloading",
    )
    parser.add_argument("--force", action="store_true", help="accept files that are not the known ones")
    parser.add_argument(
        "--output", type=Path, default=folder, help="folder to install them in (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        install_corpus(
            files, options.output, source=options.source, force=options.force, fix_line=fix_line, say=_print
        )
    except NmtLstmError as error:
        parser.exit(error.exit_status, f"error: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "\nstopped; rerun the same command to resume\n")
    return 0


def _print(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201 - the output of the prepare.py scripts


def _local(file: CorpusFile, source: Path) -> Path | None:
    for path in (source / file.name, source / f"{file.name}.gz"):
        if path.is_file():
            return path
    if file.optional and source.is_dir():
        return None
    raise DataError(
        f"'{source}' has neither {file.name} nor {file.name}.gz; give the folder that has it with --from.",
        path=source,
    )


def _download(file: CorpusFile, folder: Path, *, force: bool) -> Path:
    archive = folder / "downloads" / file.url.rsplit("/", 1)[-1]
    # The known checksum is that of the uncompressed text.
    sha256 = None if force or archive.suffix == ".gz" else file.sha256
    fetch(file.url, archive, sha256)
    return archive


def _measure(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of the uncompressed text and the number of its lines."""
    digest = hashlib.sha256()
    lines, last = 0, b"\n"
    for block in read_blocks(path):
        digest.update(block)
        lines += block.count(b"\n")
        last = block[-1:]
    return digest.hexdigest(), lines + (last != b"\n")


def _problem(file: CorpusFile, digest: str, lines: int) -> str:
    """Return how the text differs from the known one; empty if it does not."""
    if lines != file.lines:
        return f"{file.name} has {count_of(lines, 'line')}, but {file.lines:,} are expected."
    if file.sha256 is not None and digest != file.sha256:
        return f"{file.name} has the SHA-256 {digest}, but {file.sha256} is expected."
    return ""


def _fixed_lines(path: Path, fix_line: LineFix) -> Iterator[bytes]:
    for line in read_lines(path):
        # An entity such as &#10; must not become a line break, which would shift all later pairs.
        yield (fix_line(line).replace("\n", " ") + "\n").encode("utf-8")


def _write(blocks: Iterator[bytes], target: Path) -> None:
    try:
        with replacing(target) as temporary, temporary.open("wb") as file:
            file.writelines(blocks)
    except OSError as error:
        raise ResourceError(f"cannot write '{target}': {error.strerror or error}.") from None
