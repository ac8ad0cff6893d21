"""The frame of a report: one HTML file that contains its styles and its script."""

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

    It loads nothing, and its content security policy allows no script but the one in this package: even markup that
    escaped the escaping would not run.

    Args:
        title: window title and first heading.
        body: sections and other blocks, escaped unless `Markup`.
        lead: a paragraph below the title.
        footer: the last line.
        language: language code of the page.
        style: extra CSS rules.
        script: an extra script; it must come from this package, never from data.
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
    """Return a section with a heading of level 2 or 3."""
    return element("section", element(f"h{level}", heading), *body, id=anchor)


def contents(entries: list[tuple[str, str]]) -> Markup:
    """Return links to sections, given as (anchor, text)."""
    links = [element("a", text, href=f"#{anchor}") for anchor, text in entries]
    return element("nav", joined(*links), aria_label="Contents")


def _resource(name: str) -> str:
    return resources.files("nmt_lstm.lab.report").joinpath(name).read_text(encoding="utf-8").strip()


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
