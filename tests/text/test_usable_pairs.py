"""Pairs with text on both sides are what can be learnt from; a side without any text is named."""

from __future__ import annotations

import pytest

from nmt_lstm.errors import DataError
from nmt_lstm.text.corpus import count_usable


def test_pairs_with_text_on_both_sides_are_counted(tmp_path) -> None:
    source, target = tmp_path / "a.de", tmp_path / "a.en"
    source.write_text("eins\n\nzwei\n\ndrei\n")
    target.write_text("one\ntwo\n \n\nthree\n")
    assert count_usable(source, target) == 2
    source.write_text("eins\n")
    target.write_text("\u3000\n")
    with pytest.raises(DataError, match=f"^'{target}' holds only blank lines"):
        count_usable(source, target)
    with pytest.raises(DataError, match="hold only blank lines"):
        count_usable(target, target)
