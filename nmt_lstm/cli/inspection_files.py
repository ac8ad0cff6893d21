"""The files of ``nmt-lstm inspect``: named after the sentences, and never overwritten by a different one by accident."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.messages import say
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.files.atomic import write_atomically

__all__ = ["InspectionFiles"]

FOLDER = Path("inspection")
MAX_NAME_LENGTH = 40


class InspectionFiles:
    """The files of one run of the command, one for each sentence.

    Args:
        lines: the sentences by their line numbers.
        output: the file, or the folder for several sentences; None for names made from the sentences.
        suffix: of the files, with its dot.

    Raises:
        ConfigurationError: a folder is needed, and `output` is a file.
        DataError: the file cannot be written.
    """

    def __init__(self, lines: dict[int, str], output: Path | None, suffix: str) -> None:
        self._overwrite = output is not None
        if (
            output is not None
            and not output.is_dir()
            and output.suffix not in {"", suffix, suffix.replace("l", "")}
        ):
            raise ConfigurationError(
                f"-o '{output}' does not end in {suffix}, and so it may be a different kind of file; change the name, or --format.",
                key="-o",
                value=str(output),
            )
        if len(lines) == 1 and not (output and output.is_dir()):
            ((number, line),) = lines.items()
            path = output or Path(f"{_slug(line)}{suffix}")
            early_checks.check_output(path, ())
            self._paths = {number: path}
            return
        folder = output or FOLDER
        if folder.exists() and not folder.is_dir():
            raise ConfigurationError(
                f"-o '{folder}' is a file, but there are {len(lines)} sentences; name a folder."
            )
        self._paths = {
            number: folder / f"{number:02d}-{_slug(line)}{suffix}" for number, line in lines.items()
        }

    def write(self, number: int, content: str | bytes) -> None:
        """Write the file of a line and print its path.

        Different sentences and models may have the same file name. Without -o, a file with different content is kept,
        and the new one gets a number.
        """
        data = content.encode("utf-8") if isinstance(content, str) else content
        path = self._paths[number]
        if not self._overwrite:
            path = next(each for each in _numbered(path) if not each.exists() or each.read_bytes() == data)
        write_atomically(path, data)
        say(str(path))


def _numbered(path: Path) -> Iterator[Path]:
    """Yield the path, then paths with -2, -3 and so on before the suffix."""
    yield path
    for count in itertools.count(2):
        yield path.with_name(f"{path.stem}-{count}{path.suffix}")


def _slug(line: str) -> str:
    """Return the first words of a sentence as part of a file name."""
    words = re.sub(r"[^\w]+", "-", line.lower()).strip("-")
    return words[:MAX_NAME_LENGTH].rstrip("-") or "sentence"
