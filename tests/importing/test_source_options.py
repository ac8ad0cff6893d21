"""Options of other toolkits: types are checked, and everything unsupported is reported at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt_lstm.importing.errors import DamagedSourceError, UnsupportedModelError
from nmt_lstm.importing.source_options import SourceOptions

PATH = Path("options.json")


def options_of(**values) -> SourceOptions:
    return SourceOptions(values, path=PATH, toolkit="Toolkit")


def test_dotted_names_lead_into_tables() -> None:
    options = options_of(model={"encoder": {"size": 4}}, name=None)
    assert options.get("model.encoder.size") == 4
    assert options.get("model.decoder.size", 5) == 5
    assert options.get("model.encoder.size.more", 6) == 6
    assert options.get("name", "default") == "default"


@pytest.mark.parametrize("value", ["4", True, 0, -1, 2.5, [4]])
def test_a_size_must_be_a_positive_number(value) -> None:
    with pytest.raises(DamagedSourceError, match="size") as caught:
        options_of(size=value).integer("size")
    assert (caught.value.path, caught.value.key, caught.value.value) == (PATH, "size", value)


def test_values_have_types() -> None:
    options = options_of(size=3, dropout=[0.5, 0.1], rate=0, shared="true", tied=1)
    assert options.integer("size") == 3
    assert options.integer("layers", 2) == 2
    assert options.number("dropout", 0.1) == 0.5
    assert options.number("rate", 0.1) == 0.0
    assert options.flag("tied")
    assert not options.flag("missing")
    with pytest.raises(DamagedSourceError):
        options.flag("shared")
    with pytest.raises(DamagedSourceError):
        options.integer("missing")
    with pytest.raises(DamagedSourceError):
        options.number("shared", 0.0)


def test_all_that_is_unsupported_is_reported_at_once() -> None:
    options = options_of(cell="SRU", copy=True, gate="both")
    assert options.choice("cell", "LSTM", {"LSTM": "lstm", "GRU": "gru"}, "this cell") == "lstm"
    assert options.choice("other", "GRU", {"LSTM": "lstm", "GRU": "gru"}, "this cell") == "gru"
    options.expect("copy", False, "a copy mechanism")
    options.expect("missing", False, "something")
    options.refuse("gate", "a gate")
    with pytest.raises(UnsupportedModelError) as caught:
        options.check()
    assert [option[:2] for option in caught.value.options] == [
        ("cell", "SRU"),
        ("copy", True),
        ("gate", "both"),
    ]
    assert all(text in str(caught.value) for text in ("SRU", "a copy mechanism", "both"))


def test_nothing_unsupported_is_no_error() -> None:
    options_of(cell="LSTM").check()
