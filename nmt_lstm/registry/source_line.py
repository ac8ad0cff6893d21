"""The line of an author's own file in which something failed: what a message about a plugin shows."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SourceLine", "frames_of", "own_line"]


@dataclass(frozen=True)
class SourceLine:
    """A line of a source file."""

    file: Path
    number: int
    """From 1."""
    text: str
    """Without its indentation; empty if the file cannot be read."""
    named: bool
    """Whether the file needs a name, because the author has several."""
    depth: int
    """Which of the traceback's frames it is, from the outermost on."""

    @property
    def place(self) -> str:
        """Return "line 3", or with the file before it if there are several."""
        return f"'{self.file.name}', line {self.number}" if self.named else f"line {self.number}"


def own_line(problem: BaseException, own: Path) -> SourceLine | None:
    """Return the innermost line of an exception's traceback that lies in the author's file or folder.

    Args:
        problem: what was raised, with its traceback.
        own: the file, or a folder of several.
    """
    own = own.resolve()
    for depth, frame in reversed([*enumerate(frames_of(problem))]):
        file = Path(frame.filename)
        if frame.lineno is not None and (file == own or file.resolve().is_relative_to(own)):
            return SourceLine(
                file, frame.lineno, " ".join((frame.line or "").split()), named=own.is_dir(), depth=depth
            )
    return None


def frames_of(problem: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames of an exception's traceback, and after them those of its cause, which was raised deeper."""
    frames = [*traceback.extract_tb(problem.__traceback__)]
    cause = problem.__cause__
    while cause is not None:
        frames += traceback.extract_tb(cause.__traceback__)
        cause = cause.__cause__
    return frames
