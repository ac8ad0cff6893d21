"""The frame of a report: one HTML file with its styles and its script inside."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from nmt_lstm.lab.report.markup import Markup, element, joined

__all__ = ["contents", "page", "section"]


def page(
    title: str,
    *body: str,
    lead: str = "",
    footer: str = "",
    language: str = "en",
    style: str = "",
    script: str = "",
) -> str:
    """Return a whole HTML document.

    It loads nothing, and its policy lets nothing run but the script of this package: markup that found its way
    through the escaping would still be dead.

    Args:
        title: of the window and of the first heading.
        body: sections and other blocks, escaped unless they are `Markup`.
        lead: a paragraph below the title.
        footer: a line at the end.
        language: code of the language that the page is written in.
        style: rules of this page, after those of all pages.
        script: of this page, after that of all pages; it comes from this package and never from data.
    """
    style, script = f"{_resource('page.css')}\n{style}", f"{_resource('page.js')}\n{script}"
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        f"base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(style)),
    )
    main = element(
        "main",
        element("header", element("h1", title), element("p", lead, class_="lead") if lead else Markup()),
        *body,
        element("footer", footer) if footer else Markup(),
    )
    document = element("html", head, element("body", main, element("script", Markup(script))), lang=language)
    return f"<!doctype html>\n{document}\n"


def section(heading: str, *body: str, anchor: str | None = None, level: int = 2) -> Markup:
    """Return a part of the page under a heading of level 2 or 3."""
    return element("section", element(f"h{level}", heading), *body, id=anchor)


def contents(entries: list[tuple[str, str]]) -> Markup:
    """Return links to (anchor, text) of the page's sections."""
    links = [element("a", text, href=f"#{anchor}") for anchor, text in entries]
    return element("nav", joined(*links), aria_label="Contents")


def _resource(name: str) -> str:
    return resources.files("nmt_lstm.lab.report").joinpath(name).read_text(encoding="utf-8").strip()


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
