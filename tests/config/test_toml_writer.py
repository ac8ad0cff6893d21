"""TOML is read back equal, easy to read and harmless for a terminal."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt_lstm.config.toml_writer import write_toml
from nmt_lstm.errors import ConfigurationError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT
ITEMS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXT, ITEMS | st.dictionaries(TEXT, ITEMS, max_size=3), max_size=4))
def test_written_values_are_read_back_equal(values):
    assert tomllib.loads(write_toml(values)) == values


def test_tables_are_laid_out_as_a_person_would_write_them():
    text = write_toml(
        {"seed": 1, "model": {"rate": 1e-08, "encoder": {"cell": "lstm", "sizes": (1, 2)}, "options": {}}}
    )
    assert text == (
        'seed = 1\n\n[model]\nrate = 1e-08\n\n[model.encoder]\ncell = "lstm"\nsizes = [1, 2]\n\n[model.options]\n'
    )


def test_text_that_is_not_utf8_is_refused():
    with pytest.raises(ConfigurationError, match=r"'caf\\udce9'"):
        write_toml({"a": b"caf\xe9".decode("utf-8", "surrogateescape")})


def test_types_that_toml_lacks_are_refused():
    with pytest.raises(ConfigurationError, match="NoneType"):
        write_toml({"a": None})


def test_control_characters_are_escaped():
    values = {"key\x9b": "\x1b[2J\x7f\x9b31m\u202e\u2028"}
    text = write_toml(values)
    assert tomllib.loads(text) == values
    assert text.removesuffix("\n").isprintable()
