"""Factors and variants: parsing, names that are safe for folders, and rejected input."""

from __future__ import annotations

import pytest

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.comparison.factors import Factor, parse_factor, parse_seeds, split_values, variants_of


def test_values_are_split_at_commas_outside_quotes_and_brackets() -> None:
    assert split_values('0.1, [0.9, 0.99] ,"a,b",{x = 1, y = 2}', "--vary") == (
        "0.1",
        "[0.9, 0.99]",
        '"a,b"',
        "{x = 1, y = 2}",
    )


@pytest.mark.parametrize("text", ["", "a,", "a,,b", ",a"])
def test_empty_values_are_rejected(text) -> None:
    with pytest.raises(ConfigurationError, match=rf"--cells: '{text}' has an empty value"):
        split_values(text, "--cells")


def test_repeated_values_are_rejected() -> None:
    with pytest.raises(ConfigurationError, match="--cells: 'gru' is repeated"):
        split_values("gru,lstm,gru", "--cells")


def test_keys_can_be_varied_together() -> None:
    factor = parse_factor("model.encoder.layers, model.decoder.layers=1,2")
    assert factor.keys == ("model.encoder.layers", "model.decoder.layers")
    assert factor.values == ("1", "2")
    assert [variant.overrides for variant in variants_of([factor])] == [
        ("model.encoder.layers=1", "model.decoder.layers=1"),
        ("model.encoder.layers=2", "model.decoder.layers=2"),
    ]


def test_keys_with_a_short_name_get_it() -> None:
    assert parse_factor("model.decoder.wiring=gnmt,conditional").name == "decoder wiring"
    assert parse_factor("model.dropout=0.1,0.2").name == "model.dropout"


def test_options_of_an_attention_can_be_varied() -> None:
    assert parse_factor("model.attention.options.heads=2,4").keys == ("model.attention.options.heads",)


@pytest.mark.parametrize("text", ["model.dropout", "=1,2"])
def test_a_factor_needs_keys_and_values(text) -> None:
    with pytest.raises(ConfigurationError, match="must look like KEY=VALUE,VALUE") as caught:
        parse_factor(text)
    assert caught.value.value == text


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("model.dropuot", "Did you mean 'model.dropout'"),
        ("model.encoder.sell", "Did you mean 'model.encoder.cell'"),
        ("seed", "cannot vary 'seed'"),
        ("data.valid_source", "cannot vary 'data.valid_source'"),
        ("training.devices", "cannot vary 'training.devices'"),
        ("model.encoder", "is a table; set one of its keys: name"),
    ],
)
def test_unknown_and_fixed_keys_are_rejected(key, message) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse_factor(f"{key}=1,2")
    assert caught.value.key == key


def test_all_combinations_are_variants() -> None:
    result = variants_of(
        [Factor("cell", ("a", "b"), ("gru", "lstm")), Factor("dropout", ("c",), ("0.1", "0.3"))]
    )
    assert [variant.name for variant in result] == ["gru, 0.1", "gru, 0.3", "lstm, 0.1", "lstm, 0.3"]
    assert result[1].overrides == ("a=gru", "b=gru", "c=0.3")


def test_slugs_are_safe_and_unique() -> None:
    values = ("../../etc", "my_cells:Mine", "a/b", "a:b", '"x"', "日本")
    result = variants_of([Factor("x", ("k",), values)])
    assert [variant.slug for variant in result] == ["etc", "my-cells-Mine", "a-b", "a-b-2", "x", "variant"]
    assert [variant.name for variant in result][4] == "x"


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([], "nothing is varied"),
        ([Factor("cell", ("a",), ("gru",))], "only 'gru' is given"),
        ([Factor("x", ("k",), ("1", "2")), Factor("y", ("k",), ("1", "2"))], "'k' is varied twice"),
        (
            [Factor("x", ("k",), tuple(map(str, range(21))))],
            "21 combinations, and the limit is 20",
        ),
    ],
)
def test_too_few_and_too_many_variants_are_rejected(factors, message) -> None:
    with pytest.raises(ConfigurationError, match=message):
        variants_of(factors)


def test_seeds_are_numbers_separated_by_commas() -> None:
    assert parse_seeds("1, 2,4294967295") == (1, 2, 4294967295)


@pytest.mark.parametrize("text", ["1,x", "-1", "1.5", "4294967296", "1;2", "٣"])
def test_invalid_seeds_are_rejected(text) -> None:
    with pytest.raises(ConfigurationError, match="is not a seed; .* 0 to 4294967295"):
        parse_seeds(text)


@pytest.mark.parametrize("text", ["1,1", "1,01"])
def test_repeated_seeds_are_rejected(text) -> None:
    with pytest.raises(ConfigurationError, match="repeats a seed|is repeated"):
        parse_seeds(text)
