"""``translate --format html``: a document in, a document out."""

from __future__ import annotations

import pytest


def test_a_document_is_translated(command, tmp_path) -> None:
    (tmp_path / "in.html").write_bytes(b"<p>The <b>dog</b> is sleeping.</p>\r\n\xff\n")
    finished = command(
        "translate", "-m", "builtin:en-ja", "--format", "html", "-i", "in.html", "-o", "out.html"
    )
    assert finished.status == 0
    assert "byte 37 (0xff)" in finished.err
    result = (tmp_path / "out.html").read_bytes().decode()
    assert result.startswith("<p>")
    assert result.endswith("</p>\r\n\ufffd\n")
    assert result.count("<b>") == result.count("</b>") == 1


@pytest.mark.parametrize("option", ["--n-best=2", "--scores", "--interactive", "--jobs=2", "--keep-as=x"])
def test_options_about_lines_are_refused(command, option) -> None:
    finished = command("translate", "-m", "builtin:en-ja", "--format", "html", option, stdin=b"")
    assert finished.status == 2
    assert option.split("=")[0] in finished.error


def test_utf16_is_refused(command) -> None:
    finished = command("translate", "-m", "builtin:en-ja", "--format", "html", stdin="a".encode("utf-16"))
    assert finished.status == 1
    assert "iconv" in finished.error
