"""Language codes as clients write them, their English names, and which pairs the models serve."""

from __future__ import annotations

from collections.abc import Iterable

from nmt_lstm.server.language_names import NAMES

__all__ = ["canonical", "language_name", "same_language"]

# Codes that LibreTranslate and its clients use for the same language.
_ALIASES = (
    ("pb", "pt-br"),
    ("zh", "zh-hans", "zh-cn"),
    ("zt", "zh-hant", "zh-tw"),
    ("nb", "no"),
)
_FIRST = {alias: group[0] for group in _ALIASES for alias in group}


def canonical(code: str) -> str:
    """Return a code without differences that have no meaning: letter case, "_" for "-", and aliases."""
    plain = code.strip().lower().replace("_", "-")
    return _FIRST.get(plain, plain)


def same_language(code: str, known: Iterable[str]) -> str | None:
    """Return which of the known codes means the same language; None if none does."""
    wanted = canonical(code)
    return next((each for each in known if canonical(each) == wanted), None)


def language_name(code: str) -> str:
    """Return the English name of a language; the code itself if it is not known."""
    plain = code.lower().replace("_", "-")
    return NAMES.get(plain) or NAMES.get(canonical(code)) or NAMES.get(plain.split("-")[0]) or code
