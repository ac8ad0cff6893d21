"""How a check says that a part does not hold, or that it has nothing to check."""

from __future__ import annotations

__all__ = ["ConformanceFailure", "DoesNotApply", "NotChecked"]


class ConformanceFailure(AssertionError):  # noqa: N818 - as in AssertionError, what fails is the part
    """A part breaks what the framework relies on.

    Args:
        numbers: what was seen and what is allowed.
        hint: what usually causes it, or what to do.
    """

    def __init__(self, numbers: str, hint: str) -> None:
        super().__init__(f"{numbers}. {hint}")
        self.numbers = numbers
        self.hint = hint


class DoesNotApply(Exception):  # noqa: N818 - not an error: it says why there is nothing to check
    """A check has nothing to check in this part."""


class NotChecked(DoesNotApply):
    """A check applies to this part, but this machine cannot run it."""
