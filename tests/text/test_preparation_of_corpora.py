"""Text of several files and corpora: pieces, tags, cleaning, fingerprints, sampled epochs and held-out sets."""

from __future__ import annotations

import pytest

from nmt_lstm.config.load import make_run
from nmt_lstm.errors import DataError
from nmt_lstm.text.epoch_store import epoch_store
from nmt_lstm.text.held_out import with_validation_text
from nmt_lstm.text.preparation import prepare

FILES = {"valid_source": "valid.a", "valid_target": "valid.b"}
# Upper case has few pieces of its own.
RATIO = "data.cleaning.max_ratio=0"


def make(corpus, data, *overrides):
    """The settings of a run with these settings of its text."""
    values = {"data": {**FILES, **data}, "subwords": {"kind": "bpe", "vocabulary_size": 320}}
    return make_run(values, overrides, folder=corpus.folder)


def split(corpus, at=50):
    """Divide the training text into two files of each side; the first one does not end with a line end."""
    for side in ("a", "b"):
        lines = corpus.lines(f"train.{side}")
        corpus.write(f"one.{side}", lines[:at])
        corpus.write(f"two.{side}", lines[at:])
        path = corpus.folder / f"one.{side}"
        path.write_text(path.read_text().removesuffix("\n"))


ONE, TWO = {"source": "one.a", "target": "one.b"}, {"source": "two.a", "target": "two.b"}


def test_several_files_are_one_text(corpus) -> None:
    split(corpus)
    whole = prepare(make(corpus, {"train_source": "train.a", "train_target": "train.b"}))
    parts = make(corpus, {"train_source": ["one.a", "two.a"], "train_target": ["one.b", "two.b"]})
    prepared = prepare(parts)
    assert prepared.reused
    assert prepared.fingerprint == whole.fingerprint
    assert prepared.parts == ((120, 1.0),)
    corpus.write("two.b", corpus.lines("two.b")[:-1])
    with pytest.raises(DataError, match="two.a' has 70 lines and '.*two.b' has 69"):
        prepare(parts)


def test_corpora_have_tags_rules_and_weights_of_their_own(corpus) -> None:
    split(corpus)
    sources = corpus.lines("two.a")
    sources[3] = ""
    corpus.write("two.a", sources)
    tables = [{**ONE, "tag": "<1>", "weight": 2.0}, {**TWO, "cleaning": {"max_pieces": 30}}]
    prepared = prepare(make(corpus, {"corpora": tables}, RATIO))
    left_out = [report.left_out for report in prepared.reports]
    assert left_out[0]["too long"] == 0
    assert left_out[1]["empty"] == 1
    assert prepared.parts == ((50, 2.0), (prepared.reports[1].kept, 1.0))
    assert prepared.report.read == 120
    tag = prepared.subwords.source.symbol_piece("<1>")
    firsts = [int(prepared.train.source[index][0]) for index in range(len(prepared.train))]
    assert firsts[:50] == [tag] * 50
    assert tag not in firsts[50:]
    assert [
        prepared.subwords.source.decode(prepared.train.source[index][1:]) for index in range(50)
    ] == corpus.lines("train.a")[:50]
    again = prepare(make(corpus, {"corpora": tables}, RATIO))
    assert again.reused
    assert again.reports == prepared.reports


@pytest.mark.parametrize(
    ("change", "reused"),
    [
        ({"weight": 0.5}, True),
        ({"name": "other"}, True),
        ({"tag": "<2>"}, False),
        ({"cleaning": {"max_ratio": 2.0}}, False),
        ({"cleaning": {"max_ratio": 5.0}}, True),
    ],
)
def test_what_changes_no_piece_reuses_the_text(corpus, change, reused) -> None:
    split(corpus)
    prepare(make(corpus, {"corpora": [{**ONE, "tag": "<1>"}, TWO]}))
    assert prepare(make(corpus, {"corpora": [{**ONE, "tag": "<1>", **change}, TWO]})).reused == reused


def test_corpora_in_columns_are_prepared_like_those_in_files(corpus) -> None:
    pairs = corpus.pairs()
    corpus.write(
        "pairs.tsv", [f"{number}\t{source}\t{target}" for number, (source, target) in enumerate(pairs)]
    )
    prepared = prepare(make(corpus, {"corpora": [{"tsv": "pairs.tsv", "columns": [2, 3]}]}))
    assert corpus.decoded(prepared) == pairs
    named = {"train_source": "pairs.tsv:2", "train_target": "pairs.tsv:3"}
    assert prepare(make(corpus, named)).fingerprint == prepared.fingerprint
    exchanged = {"train_source": "pairs.tsv:3", "train_target": "pairs.tsv:2"}
    assert prepare(make(corpus, exchanged)).fingerprint != prepared.fingerprint


def test_sampled_epochs_have_the_tags(corpus) -> None:
    split(corpus)
    prepared = prepare(
        make(corpus, {"corpora": [ONE, {**TWO, "tag": "<2>"}]}, "subwords.kind=unigram", RATIO)
    )
    store = epoch_store(prepared, 0, sampling=0.2, seed=1)
    tag = prepared.subwords.source.symbol_piece("<2>")
    assert [int(store.source[index][0]) == tag for index in (0, 49, 50, 119)] == [False, False, True, True]
    assert [prepared.subwords.source.decode(store.source[index]) for index in (0, 49)] == [
        corpus.lines("train.a")[index] for index in (0, 49)
    ]


def test_each_corpus_has_a_held_out_set_with_its_tag(corpus, tmp_path) -> None:
    split(corpus, at=60)
    run = make_run(
        {"data": {"corpora": [{**ONE, "tag": "<1>"}, {**TWO, "name": "second", "tag": "<2>"}]}},
        folder=corpus.folder,
    )
    resolved, held = with_validation_text(run, tmp_path / "run", reuse=False)
    assert "6 of 120 pairs are held out of 2 corpora" in held.describe()
    held.write()
    sets = resolved.data.validation_sets()
    assert [(each.name, each.tag) for each in sets] == [("one", "<1>"), ("second", "<2>")]
    prepared = prepare(resolved)
    assert [len(each.source) for each in prepared.validation] == [3, 3]
    assert prepared.report.left_out["in the validation text"] == 6
    again, same = with_validation_text(run, tmp_path / "run", reuse=True)
    assert again == resolved
    assert same.others[0].pairs == held.others[0].pairs
    with pytest.raises(RuntimeError), held.files():
        raise RuntimeError
