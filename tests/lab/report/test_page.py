"""The frame of a page: self-contained, with a policy that allows only its own style and script."""

from __future__ import annotations

import base64
import hashlib
import re

from nmt_lstm.lab.report.markup import element
from nmt_lstm.lab.report.page import contents, page, section


def test_a_page_is_a_complete_document() -> None:
    text = page("A & B", section("Part <1>", element("p", "text"), anchor="one"), lead="Lead.", footer="End.")
    assert text.startswith('<!doctype html>\n<html lang="en"><head><meta charset="utf-8">')
    assert "<title>A &amp; B</title>" in text
    assert '<section id="one"><h2>Part &lt;1&gt;</h2><p>text</p></section>' in text
    assert '<p class="lead">Lead.</p>' in text
    assert "<footer>End.</footer>" in text
    assert "footer>" not in page("x").partition("</style>")[2]


def test_a_page_loads_nothing() -> None:
    text = page("x", contents([("one", "One & only")]))
    assert not re.search(r"(?:src|href)=(?!\"#)|url\(|@import|https?:", text)
    assert '<a href="#one">One &amp; only</a>' in text


def test_the_policy_allows_only_its_own_style_and_script() -> None:
    text = page("x")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1].replace("&#x27;", "'")
    for tag in ("style", "script"):
        inside = re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert " style=" not in text  # the policy would drop it
