"""The head of a board's rows: how long their file was when the last one was added, so that missing rows are noticed."""

from __future__ import annotations

from pathlib import Path

from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.files.checksums import checked_json, parse_checked, sha256_of_content
from nmt_lstm.files.regular import read_regular

__all__ = ["HEAD", "RowsHead"]

HEAD = "rows.head.json"


class RowsHead:
    """The file ``rows.head.json`` of a board: each row has a checksum, and this is the one of all of them.

    It is written after a row, so an interruption leaves a file of rows that is longer than the head says, never
    shorter. Boards of earlier versions have no head until something is added.

    Args:
        folder: the board's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / HEAD
        self._folder = folder

    def problem(self, rows: bytes) -> str:
        """Return in a sentence that rows are missing from the bytes of their file; empty if none are."""
        if rows and not rows.endswith(b"\n"):
            rows += b"\n"  # an editor may have taken the last line end away
        try:
            head = parse_checked(read_regular(self._path))
            size, digest = int(head["bytes"]), str(head["sha256_of_rows"])
        except FileNotFoundError:
            return ""
        except (OSError, ValueError, KeyError, TypeError) as problem:
            return f"'{self._path}' cannot be used ({problem}); restore it from a copy, or delete it."
        if len(rows) >= size and sha256_of_content(rows[:size]) == digest:
            return ""
        what = f"it had {size:,} bytes when the last row was added and has {len(rows):,}"
        return (
            f"the rows of board '{self._folder}' are not those that were added ({what}): some are missing or were "
            f"changed. Restore rows.jsonl and {HEAD} from a copy; or delete {HEAD} to accept the rows that are there."
        )

    def write(self, rows: bytes) -> None:
        """Record the bytes of the file of rows as they are now.

        Raises:
            OSError: the file cannot be written.
        """
        text = checked_json({"bytes": len(rows), "sha256_of_rows": sha256_of_content(rows)})
        write_atomically(self._path, text)
