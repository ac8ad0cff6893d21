"""The line of a plugin's own source in which an exception was raised, for messages."""

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
    is_one_of_several: bool
    """Whether the plugin has several files, so that messages must name this one."""
    depth: int
    """Index of the frame in the traceback, from the outermost on."""

    @property
    def location(self) -> str:
        """Return "line 3", preceded by the file if the plugin has several."""
        return f"'{self.file.name}', line {self.number}" if self.is_one_of_several else f"line {self.number}"


def own_line(problem: BaseException, own: Path) -> SourceLine | None:
    """Return the innermost line of an exception's traceback that is in a plugin; None if there is none.

    Args:
        problem: the exception, with its traceback.
        own: the plugin's file, or the folder of its files.
    """
    own = own.resolve()
    for depth, frame in reversed([*enumerate(frames_of(problem))]):
        file = Path(frame.filename)
        if frame.lineno is not None and (file == own or file.resolve().is_relative_to(own)):
            return SourceLine(
                file,
                frame.lineno,
                " ".join((frame.line or "").split()),
                is_one_of_several=own.is_dir(),
                depth=depth,
            )
    return None


def frames_of(problem: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames of an exception's traceback, followed by those of its causes, which were raised deeper."""
    frames = [*traceback.extract_tb(problem.__traceback__)]
    cause = problem.__cause__
    while cause is not None:
        frames += traceback.extract_tb(cause.__traceback__)
        cause = cause.__cause__
    return frames
