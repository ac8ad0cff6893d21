"""What goes to a worker and comes back: single lines or blocks of HTML, and their translations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Failure", "Kind", "Translated", "Unit"]


class Kind(NamedTuple):
    """What is asked of a line; only lines of the same kind and model are in a batch.

    Attributes:
        model: name of the model.
        task: name of a function in `nmt_lstm.server.tasks.TASKS`.
        n_best: different translations, at most.
    """

    model: str
    task: str = "text"
    n_best: int = 1


@dataclass(frozen=True, slots=True)
class Unit:
    """A line, or a block of HTML.

    Attributes:
        text: what is translated.
        prefix: what the translation begins with.
        tag: a piece in front of it, which the worker adds: that of the model's direction.
    """

    text: str
    prefix: str = ""
    tag: str = ""


class Translated(NamedTuple):
    """The translations of a unit.

    Attributes:
        texts: best first; none if there is nothing to translate.
        scores: of each.
        details: what a task other than translation found, ready for JSON.
    """

    texts: tuple[str, ...]
    scores: tuple[float, ...] = ()
    details: object = None


class Failure(NamedTuple):
    """Why a unit has no translation.

    Attributes:
        text: a sentence for the client.
    """

    text: str
