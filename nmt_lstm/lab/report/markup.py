"""HTML elements that escape all text except markup."""

from __future__ import annotations

from html import escape

__all__ = ["Markup", "element", "joined"]

_VOID = frozenset({"br", "hr", "meta"})


class Markup(str):
    """A string of HTML. Any other string is escaped when it is inserted into markup."""

    __slots__ = ()


def joined(*parts: str) -> Markup:
    """Return the concatenated parts, escaped unless they are `Markup`."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def element(tag: str, *children: str, **attributes: str | float | bool | None) -> Markup:
    """Return an element.

    Args:
        tag: its name.
        children: its content, escaped unless it is `Markup`.
        attributes: values are escaped; None and False omit the attribute, True writes it without a value. Underscores
            become hyphens, and a trailing one is dropped, as in `class_`.
    """
    parts = []
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        key = name.rstrip("_").replace("_", "-")
        parts.append(f" {key}" if value is True else f' {key}="{escape(str(value))}"')
    start = f"<{tag}{''.join(parts)}>"
    return Markup(start if tag in _VOID else f"{start}{joined(*children)}</{tag}>")
