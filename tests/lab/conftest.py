"""A reader of HTML pages for the tests of reports."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest


class ParsedPage(HTMLParser):
    """The tags, the text and the values of attributes of a page; fails unless every element is closed, and for scripts or styles in attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.values: list[str | None] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.values += [value for _, value in attributes]
        if tag not in {"meta", "br", "hr"}:
            self._open.append(tag)
        assert not any(name.startswith("on") or name == "style" for name, _ in attributes)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="session")
def parse_page() -> Callable[[str], ParsedPage]:
    """Return a function that parses an HTML page."""
    return ParsedPage
