"""What a preparation did, in lines for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nmt_lstm.text.preparation import Prepared

__all__ = ["describe"]


def describe(prepared: Prepared) -> str:
    """Return what was read, left out and written."""
    raise NotImplementedError
