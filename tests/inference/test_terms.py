"""Tables of terms: read, applied, and refused line by line."""

from __future__ import annotations

import pytest

from nmt_lstm.errors import DataError
from nmt_lstm.inference.terms import Terms


def table(tmp_path, text: str):
    path = tmp_path / "terms.tsv"
    path.write_text(text, encoding="utf-8")
    return path


def test_phrases_of_a_line_require_their_translations(tmp_path) -> None:
    terms = Terms.load(table(tmp_path, "# animals\nHund\tdog\n\nroter Hund\tred dog\nKatze \t cat\n"))
    assert len(terms) == 3
    assert terms.required("Ein roter Hund und eine Katze .") == ["red dog", "cat"]
    assert terms.required("Ein Hund und ein roter Hund") == ["red dog", "dog"]
    assert terms.required("Ein Hund, zwei Hunde, ein Hund") == ["dog", "dog"]
    assert terms.required("Hunde") == []


def test_a_term_does_not_cut_other_words() -> None:
    terms = Terms([("car", "Auto"), ("pet", "Haustier")])
    assert terms.required("A car on a carpet .") == ["Auto"]


@pytest.mark.parametrize("line", ["Hund", "Hund\tdog\tmore", "\tdog", "Hund\t "])
def test_a_line_that_is_no_pair_is_named(tmp_path, line) -> None:
    path = table(tmp_path, f"Katze\tcat\n{line}\n")
    with pytest.raises(DataError, match="line 2"):
        Terms.load(path)


def test_files_that_are_no_text_are_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="terms"):
        Terms.load(tmp_path / "missing.tsv")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        Terms.load(tmp_path / "bytes")
