"""Preparation happens once for the same text and settings, and again when they change."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tracemalloc

import pytest

from nmt_lstm.config.load import make_run
from nmt_lstm.config.schema import DataSettings, SubwordSettings
from nmt_lstm.errors import DataError
from nmt_lstm.text import line_decoding, pair_encoding, store_writing
from nmt_lstm.text.cleaning import PairSet
from nmt_lstm.text.invisible_characters import without_invisible_characters
from nmt_lstm.text.preparation import prepare, prepare_text
from nmt_lstm.text.special_pieces import END
from nmt_lstm.text.store_progress import StoreProgress


def test_prepared_pairs_decode_to_the_text(corpus) -> None:
    prepared = prepare(corpus.run())
    assert corpus.decoded(prepared) == corpus.pairs()
    assert prepared.valid_source == corpus.lines("valid.a")
    assert prepared.valid_target == corpus.lines("valid.b")
    assert (prepared.report.read, prepared.report.kept) == (120, 120)
    assert prepared.folder == corpus.folder / "prepared" / prepared.fingerprint[:16]
    assert not prepared.reused
    assert corpus.prepared_folders() == [prepared.folder.name]


def test_target_counts_are_those_of_labels(corpus) -> None:
    prepared = prepare(corpus.run())
    labels = [piece for index in range(120) for piece in (*prepared.train.target[index].tolist(), END)]
    counts = prepared.target_counts()
    assert counts.tolist() == [labels.count(piece) for piece in range(prepared.subwords.target.size)]


def test_progress_is_reported_only_when_text_is_prepared(corpus) -> None:
    sentences: list[str] = []
    prepare(corpus.run(), sentences.append)
    assert len(sentences) == 3
    assert "train.a" in sentences[0]
    assert sentences[1:] == ["Learning subword pieces from 120 pairs", "Splitting the text into pieces"]
    prepare(corpus.run(), sentences.append)
    assert len(sentences) == 3


def test_sides_stay_aligned_when_pairs_are_left_out(corpus) -> None:
    sources, targets = corpus.lines("train.a"), corpus.lines("train.b")
    for index in (0, 7, 50, 119):
        sources[index] = ""
    targets[60] = "\u3000 \t"
    sources[30] = "kamito " * 200
    corpus.write("train.a", sources)
    corpus.write("train.b", targets)
    prepared = prepare(corpus.run())
    assert prepared.report.left_out == {"empty": 5, "too long": 1, "ratio": 0, "duplicate": 0}
    left_out = {0, 7, 50, 119, 60, 30}
    expected = [
        pair for number, pair in enumerate(zip(sources, targets, strict=True)) if number not in left_out
    ]
    assert corpus.decoded(prepared) == expected


def test_cleaning_does_not_depend_on_chunks(corpus, monkeypatch) -> None:
    expected = corpus.files(prepare(corpus.run("data.cleaning.drop_duplicates=true")).folder)
    monkeypatch.setattr(pair_encoding, "CHUNK", 7)
    shutil.rmtree(corpus.folder / "prepared")
    assert corpus.files(prepare(corpus.run("data.cleaning.drop_duplicates=true")).folder) == expected


def test_unusual_lines_do_not_shift_pairs(corpus) -> None:
    unusual = ["a\u2028b", "x\x85y", "\x0b\x0cz", "q\rr", "ﬀ ①", "👩‍👩‍👧 <s>", "\u202eabc", "nul\x00l"]
    corpus.write("train.a", unusual * 5)
    corpus.write("train.b", [f"line {number % 8}" for number in range(40)])
    pairs = corpus.decoded(prepare(corpus.run()))
    assert [target for _, target in pairs] == [f"line {number % 8}" for number in range(40)]
    assert [source for source, _ in pairs[:8]] == [
        "a b",
        "x y",
        "z",
        "q r",
        "ﬀ ①",
        "👩‍👩‍👧 <s>",
        "\u202eabc",
        "nul l",
    ]


def test_unchanged_text_is_reused_wherever_it_is_and_however_it_is_compressed(corpus) -> None:
    first = prepare(corpus.run())
    again = prepare(corpus.run())
    assert again.reused
    assert again.fingerprint == first.fingerprint
    assert again.report == first.report
    os.utime(corpus.folder / "train.a")
    assert prepare(corpus.run()).reused
    (corpus.folder / "t.gz").write_bytes(gzip.compress((corpus.folder / "train.a").read_bytes()))
    moved = prepare(corpus.run(f"data.train_source={corpus.folder / 't.gz'}"))
    assert moved.reused
    assert moved.fingerprint == first.fingerprint


def test_settings_that_do_not_affect_the_text_reuse_it(corpus) -> None:
    prepare(corpus.run())
    settings = (
        "seed=7",
        "model.dropout=0.5",
        "training.batch_pieces=99",
        "subwords.sampling=0.1",
        "data.tokenize=char",
    )
    for setting in settings:
        assert prepare(corpus.run(setting)).reused


@pytest.mark.parametrize(
    "setting",
    [
        "subwords.kind=unigram",
        "subwords.vocabulary_size=300",
        "subwords.joint=false",
        "subwords.character_coverage=0.98",
        "data.cleaning.max_pieces=9",
        "data.cleaning.drop_duplicates=true",
        "data.cleaning.enabled=false",
        "data.exclude_validation=true",
        "subwords.normalise_invisible=false",
    ],
)
def test_settings_that_affect_the_text_prepare_it_again(corpus, setting) -> None:
    tied = "model.tied_embeddings=target"
    first = prepare(corpus.run(tied))
    other = prepare(corpus.run(tied, setting))
    assert not other.reused
    assert other.folder != first.folder
    assert prepare(corpus.run(tied)).reused


@pytest.mark.parametrize("name", ["train.a", "train.b", "valid.a", "valid.b"])
def test_changed_text_is_prepared_again(corpus, name) -> None:
    first = prepare(corpus.run())
    lines = corpus.lines(name)
    lines[3] += " ka"
    corpus.write(name, lines)
    other = prepare(corpus.run())
    assert not other.reused
    assert other.fingerprint != first.fingerprint


def test_exchanged_lines_are_prepared_again(corpus) -> None:
    prepare(corpus.run())
    lines = corpus.lines("train.a")
    corpus.write("train.a", [lines[1], lines[0], *lines[2:]])
    assert not prepare(corpus.run()).reused


def test_text_without_usable_pairs_is_refused(corpus) -> None:
    corpus.write("train.a", [" "] * 5)
    corpus.write("train.b", ["\u3000"] * 5)
    with pytest.raises(DataError, match="train.a' and '.*train.b' hold only blank lines"):
        prepare(corpus.run())
    with pytest.raises(DataError, match="train.a' and '.*train.b' hold only empty lines"):
        prepare(corpus.run("data.cleaning.enabled=false"))
    corpus.write("train.b", ["x"] * 5)
    with pytest.raises(DataError, match="^'[^']*train.a' holds only blank lines"):
        prepare(corpus.run())
    assert len(prepare(corpus.run("data.cleaning.enabled=false")).train) == 5


def test_the_rules_that_leave_out_all_pairs_are_named(corpus) -> None:
    with pytest.raises(DataError, match="all 120 training pairs: .*too long"):
        prepare(corpus.run("data.cleaning.max_pieces=2"))


@pytest.mark.parametrize("cleaning", ["true", "false"])
def test_pairs_of_the_validation_text_are_left_out_of_training(corpus, cleaning) -> None:
    """All copies of them, including those that differ in white space, whatever other rules are on."""
    pairs = corpus.pairs()
    held_out = pairs[5], pairs[70]
    for side, name in enumerate(("valid.a", "valid.b")):
        corpus.write(name, [pair[side] for pair in held_out])
    corpus.write("train.a", [*(pair[0] for pair in pairs), f" {held_out[0][0]} "])
    corpus.write("train.b", [*(pair[1] for pair in pairs), held_out[0][1].replace(" ", "  ")])
    prepared = prepare(corpus.run("data.exclude_validation=true", f"data.cleaning.enabled={cleaning}"))
    assert corpus.decoded(prepared) == [pair for pair in pairs if pair not in held_out]
    assert prepared.report.left_out["in the validation text"] == 3
    assert "3 in the validation text" in prepared.report.describe()


def test_invisible_characters_are_normalised_in_training_and_translation(corpus) -> None:
    sources = [line.replace(" ", "\u00a0").replace("a", "a\u200b") for line in corpus.lines("train.a")]
    plain = corpus.pairs()
    corpus.write("train.a", sources)
    prepared = prepare(corpus.run())
    assert corpus.decoded(prepared) == plain
    reused = prepare(corpus.run())
    assert reused.reused
    for subwords in (prepared.subwords, reused.subwords):
        assert subwords.source.encode(sources[0]) == subwords.source.encode(plain[0][0])
    unchanged = prepare(corpus.run("subwords.normalise_invisible=false"))
    assert [source for source, _ in corpus.decoded(unchanged)] == sources


def test_suspicious_text_is_warned_of_and_blank_validation_text_is_refused(corpus, caplog) -> None:
    corpus.write("train.b", corpus.lines("train.a"))
    prepare(corpus.run())
    assert "the same in" in caplog.text
    corpus.write("valid.a", [""] * len(corpus.lines("valid.a")))
    with pytest.raises(DataError, match="blank"):
        prepare(corpus.run())


def test_a_pipe_is_refused(corpus) -> None:
    os.mkfifo(corpus.folder / "pipe")
    with pytest.raises(DataError, match="pipe' is a pipe or device"):
        prepare(corpus.run(f"data.train_target={corpus.folder / 'pipe'}"))


def test_duplicates_are_left_out_on_request(corpus, monkeypatch) -> None:
    """Only the first of identical pairs is kept, but not if a rule leaves it out; other pairs with one equal side are."""
    monkeypatch.setattr(pair_encoding, "CHUNK", 3)
    pairs = corpus.pairs()[:20]
    repeated = [*pairs, *pairs[:5], (pairs[0][0], pairs[1][1]), *pairs[3:8]]
    corpus.write("train.a", [source for source, _ in repeated])
    corpus.write("train.b", [target for _, target in repeated])
    prepared = prepare(corpus.run("data.cleaning.drop_duplicates=true"))
    assert corpus.decoded(prepared) == [*pairs, (pairs[0][0], pairs[1][1])]
    assert prepared.report.left_out["duplicate"] == 10
    assert (prepared.folder / "kept").read_bytes() == b"\1" * 20 + b"\0" * 5 + b"\1" + b"\0" * 5
    assert len(prepare(corpus.run()).train) == 31
    unchecked = prepare(corpus.run("data.cleaning.drop_duplicates=true", "data.cleaning.enabled=false"))
    assert len(unchecked.train) == 31


@pytest.mark.parametrize(
    "setting", ["data.cleaning.drop_duplicates=false", "data.cleaning.drop_duplicates=true"]
)
def test_memory_does_not_grow_with_the_text(corpus, monkeypatch, setting) -> None:
    """Small chunks make the text many chunks long, while the test stays quick; duplicates cost 18 bytes a pair."""
    monkeypatch.setattr(pair_encoding, "CHUNK", 100)
    monkeypatch.setattr(line_decoding, "BLOCK", 4_096)
    data = corpus.run(setting).data
    subwords = prepare(corpus.run()).subwords
    lines = corpus.lines("train.a")[:100]

    def peak(count: int) -> int:
        corpus.write("train.a", [f"{lines[number % 100]} {number}" for number in range(count)])
        corpus.write("train.b", [lines[number % 100].upper() for number in range(count)])
        folder = corpus.folder / str(count)
        folder.mkdir()
        tracemalloc.start()
        try:
            (report,) = store_writing.write_store(data, subwords, folder, PairSet(), StoreProgress(count, {}))
            assert report.kept == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(200)
    duplicates = 18 * 3_000 if data.cleaning.drop_duplicates else 0
    assert peak(3_000) < 1.2 * peak(400) + duplicates


@pytest.mark.corpora
def test_real_text_is_prepared_completely(corpora, tmp_path) -> None:
    values = {"data": {"prepared": str(tmp_path)}, "subwords": {"vocabulary_size": 2_000}}
    for split in ("train", "valid"):
        for side, language in (("source", "de"), ("target", "en")):
            values["data"][f"{split}_{side}"] = str(corpora / "multi30k" / f"val.{language}")
    prepared = prepare(make_run(values))
    assert (prepared.report.read, prepared.report.kept, len(prepared.train)) == (1_014, 1_014, 1_014)
    assert prepared.subwords.source.size == 2_000
    decoded = [prepared.subwords.source.decode(prepared.train.source[index]) for index in range(1_014)]
    assert decoded == [without_invisible_characters(line).strip() for line in prepared.valid_source]


def test_text_that_an_earlier_version_prepared_without_checksums_is_reused(corpus) -> None:
    folder = prepare(corpus.run()).folder
    record = json.loads((folder / "prepared.json").read_text())
    (folder / "prepared.json").write_text(json.dumps({"report": record["report"]}))
    (folder / "store.json").write_text('{"version": 1, "dtype": "<u2"}')
    prepared = prepare(corpus.run())
    assert prepared.reused
    assert corpus.decoded(prepared) == corpus.pairs()


def test_symbols_are_learnt_and_change_the_prepared_text(corpus) -> None:
    plain = prepare(corpus.run())
    with_symbols = prepare(corpus.run('subwords.user_defined_symbols=["<b>"]'))
    assert with_symbols.subwords.source.symbols == ("<b>",)
    assert plain.fingerprint != with_symbols.fingerprint


@pytest.mark.parametrize("targets", ["text", "labels"])
def test_a_vocabulary_that_cannot_be_read_is_reported_before_text_is(tmp_path, targets) -> None:
    data = DataSettings(train_source=tmp_path / "a", train_target=tmp_path / "b", targets=targets)
    with pytest.raises(DataError, match="missing.model"):
        prepare_text(data, SubwordSettings(model=tmp_path / "missing.model"))
