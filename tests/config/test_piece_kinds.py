"""Settings that count pieces suit the kind of pieces, and impossible combinations are refused by name."""

from __future__ import annotations

import pytest

from nmt_lstm.config.defaults import choose_settings, describe_settings, with_pieces
from nmt_lstm.config.load import dump_toml, make_run
from nmt_lstm.config.piece_kinds import PIECE_KINDS
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ConfigurationError

DATA = {"train_source": "a", "train_target": "b"}


def lengths(run: RunSettings) -> tuple[int, int, int]:
    """The settings that count pieces."""
    return run.data.cleaning.max_pieces, run.training.batch_pieces, run.search.max_source_pieces


@pytest.mark.parametrize("kind", PIECE_KINDS)
def test_lengths_suit_the_kind(kind) -> None:
    run = make_run({"data": DATA}, [f"subwords.kind={kind}"])
    short = kind in ("character", "byte")
    assert lengths(run) == ((600, 16_000, 2_000) if short else (150, 4_000, 500))
    given = make_run(
        {"data": {**DATA, "cleaning": {"max_pieces": 9}}, "subwords": {"kind": kind}},
        ["training.batch_pieces=7", "search.max_source_pieces=8"],
    )
    assert lengths(given) == (9, 7, 8)


def test_a_run_file_keeps_the_lengths(tmp_path) -> None:
    run = make_run(
        {"data": DATA, "subwords": {"kind": "byte", "user_defined_symbols": ["<b>"], "casing": "markers"}}
    )
    (tmp_path / "run.toml").write_text(dump_toml(run), "utf-8")
    assert 'casing = "markers"' in dump_toml(run)
    assert 'user_defined_symbols = ["<b>"]' in dump_toml(run)


@pytest.mark.parametrize("kind", PIECE_KINDS)
def test_chosen_settings_are_possible_for_every_kind(kind) -> None:
    values = with_pieces({**choose_settings(29_000), "data": DATA}, kind)
    run = make_run(values, [f"subwords.kind={kind}"])
    assert run.training.batch_pieces == (6_000 if PIECE_KINDS[kind].is_short else 1_500)
    assert PIECE_KINDS[kind].plural in describe_settings(29_000, run)[0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["subwords.kind=byte", "subwords.vocabulary_size=300"], r"subwords\.vocabulary_size = 300"),
        (["subwords.kind=word", "subwords.sampling=0.1"], r"subwords\.sampling = 0\.1"),
        (["subwords.casing=markers", 'subwords.user_defined_symbols=["x⇧"]'], "user_defined_symbols.*x⇧"),
        (["subwords.kind=letters"], r'subwords\.kind = "letters".*"character"'),
    ],
)
def test_impossible_settings_are_refused(settings, words) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make_run({"data": DATA}, settings)
