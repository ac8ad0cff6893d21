"""HTML in which everything is escaped that is not HTML already."""

from __future__ import annotations

from html import escape

__all__ = ["Markup", "element", "joined"]

_VOID = frozenset({"br", "hr", "meta"})


class Markup(str):
    """Text that is HTML already. Any other text is escaped where it meets markup."""

    __slots__ = ()


def joined(*parts: str) -> Markup:
    """Return the parts one after another, escaped unless they are `Markup`."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def element(tag: str, *children: str, **attributes: str | float | bool | None) -> Markup:
    """Return an element.

    Args:
        tag: its name.
        children: what it holds, escaped unless it is `Markup`.
        attributes: their values are escaped; None and False leave an attribute out, True has no value. An underscore
            stands for a hyphen, and one at the end for nothing, as in `class_`.
    """
    written = []
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        key = name.rstrip("_").replace("_", "-")
        written.append(f" {key}" if value is True else f' {key}="{escape(str(value))}"')
    start = f"<{tag}{''.join(written)}>"
    return Markup(start if tag in _VOID else f"{start}{joined(*children)}</{tag}>")
