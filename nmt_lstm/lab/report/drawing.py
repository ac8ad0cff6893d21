"""What all SVG pictures share: colours, fonts, texts of known width, and the document around them."""

from __future__ import annotations

import unicodedata

from nmt_lstm.lab.report.markup import Markup, element

__all__ = ["FONT_FAMILIES", "INK", "RULE", "SOFT", "document", "text_at", "width_of"]

INK, SOFT, RULE = "#1b1d21", "#5b616b", "#d9dce1"
FONT_FAMILIES = (
    "system-ui", "Segoe UI", "Roboto", "Liberation Sans", "DejaVu Sans", "Arial",
    # Named because a renderer that chooses by itself may draw Japanese text with the Chinese forms of its characters.
    "Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Yu Gothic", "Meiryo", "IPAGothic",
    "sans-serif",
)  # fmt: skip
NARROW = 0.56
"""Average width of a Latin letter in sans-serif fonts, as a share of the size; East Asian characters take all of it."""


def width_of(text: str, size: float) -> float:
    """Return about how wide a text is, in the units of its font size: no font is at hand here."""
    return size * sum(
        1.0 if unicodedata.east_asian_width(letter) in "WF" else NARROW
        for letter in text
        if not unicodedata.combining(letter)
    )


def text_at(
    text: str,
    x: float,
    y: float,
    anchor: str | None = None,
    *,
    size: float = 12,
    weight: int | None = None,
    colour: str = INK,
    transform: str | None = None,
) -> Markup:
    """Return a line of text whose baseline begins, is centred or ends at a point, by `anchor`."""
    return element(
        "text", text, x=f"{x:.1f}", y=f"{y:.1f}", font_size=size, font_weight=weight, text_anchor=anchor, fill=colour,
        class_="soft" if colour == SOFT else None, transform=transform,
    )  # fmt: skip


def document(title: str, width: float, height: float, *parts: str) -> str:
    """Return a whole SVG document on white paper."""
    families = ", ".join(f"'{family}'" if " " in family else family for family in FONT_FAMILIES)
    svg = element(
        "svg",
        element("title", title),
        element("path", d=f"M0 0H{width:g}V{height:g}H0Z", fill="#ffffff"),
        *parts,
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width:g} {height:g}", width=f"{width:g}", height=f"{height:g}",
        role="img", font_family=families,
    )  # fmt: skip
    return f"{svg}\n"
