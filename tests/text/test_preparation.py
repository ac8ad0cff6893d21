"""Preparation: done once for unchanged text and settings, again for changed ones, and whole or not at all."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tracemalloc
from pathlib import Path

import pytest

from nmt_lstm.config.load import make_run
from nmt_lstm.errors import DataError
from nmt_lstm.text import preparation
from nmt_lstm.text.cleaning import PairCleaner
from nmt_lstm.text.invisible_characters import without_invisible_characters
from nmt_lstm.text.preparation import prepare
from nmt_lstm.text.special_pieces import END


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_prepared_text_is_the_text(written) -> None:
    prepared = prepare(written.run())
    assert written.decoded(prepared) == written.pairs()
    assert prepared.valid_source == written.lines("valid.a")
    assert prepared.valid_target == written.lines("valid.b")
    assert (prepared.report.read, prepared.report.kept) == (120, 120)
    assert prepared.folder == written.folder / "prepared" / prepared.fingerprint[:16]
    assert not prepared.reused
    assert written.prepared_folders() == [prepared.folder.name]


def test_labels_are_counted(written) -> None:
    prepared = prepare(written.run())
    labels = [piece for index in range(120) for piece in (*prepared.train.target[index].tolist(), END)]
    counts = prepared.target_counts()
    assert counts.tolist() == [labels.count(piece) for piece in range(prepared.subwords.target.size)]


def test_what_is_done_is_said_once(written) -> None:
    said: list[str] = []
    prepare(written.run(), said.append)
    assert len(said) == 3
    assert "train.a" in said[0]
    assert said[1:] == ["Learning subwords from 120 pairs", "Cutting the text into pieces"]
    prepare(written.run(), said.append)
    assert len(said) == 3


def test_pairs_stay_together_when_pairs_between_them_are_left_out(written) -> None:
    sources, targets = written.lines("train.a"), written.lines("train.b")
    for place in (0, 7, 50, 119):
        sources[place] = ""
    targets[60] = "\u3000 \t"
    sources[30] = "kamito " * 200
    written.write("train.a", sources)
    written.write("train.b", targets)
    prepared = prepare(written.run())
    assert prepared.report.left_out == {"empty": 5, "too long": 1, "ratio": 0, "duplicate": 0}
    dropped = {0, 7, 50, 119, 60, 30}
    expected = [
        pair for number, pair in enumerate(zip(sources, targets, strict=True)) if number not in dropped
    ]
    assert written.decoded(prepared) == expected


def test_pairs_are_cleaned_across_the_borders_of_chunks(written, monkeypatch) -> None:
    whole = prepare(written.run("data.cleaning.drop_duplicates=true"))
    monkeypatch.setattr(preparation, "CHUNK", 7)
    shutil.rmtree(written.folder / "prepared")
    assert files(prepare(written.run("data.cleaning.drop_duplicates=true")).folder) == files(whole.folder)


def test_strange_lines_shift_no_pair(written) -> None:
    strange = ["a\u2028b", "x\x85y", "\x0b\x0cz", "q\rr", "ﬀ ①", "👩‍👩‍👧 <s>", "\u202eabc", "nul\x00l"]
    written.write("train.a", strange * 5)
    written.write("train.b", [f"line {number % 8}" for number in range(40)])
    pairs = written.decoded(prepare(written.run()))
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


def test_unchanged_text_is_found_again_wherever_it_lies_and_however_it_is_packed(written) -> None:
    first = prepare(written.run())
    again = prepare(written.run())
    assert again.reused
    assert again.fingerprint == first.fingerprint
    assert again.report == first.report
    os.utime(written.folder / "train.a")
    assert prepare(written.run()).reused
    (written.folder / "t.gz").write_bytes(gzip.compress((written.folder / "train.a").read_bytes()))
    moved = prepare(written.run(f"data.train_source={written.folder / 't.gz'}"))
    assert moved.reused
    assert moved.fingerprint == first.fingerprint


def test_settings_that_do_not_touch_the_text_prepare_nothing(written) -> None:
    prepare(written.run())
    others = (
        "seed=7",
        "model.dropout=0.5",
        "training.batch_pieces=99",
        "subwords.sampling=0.1",
        "data.tokenize=char",
    )
    for setting in others:
        assert prepare(written.run(setting)).reused


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
def test_settings_that_touch_the_text_prepare_it_again(written, setting) -> None:
    tied = "model.tied_embeddings=target"
    first = prepare(written.run(tied))
    other = prepare(written.run(tied, setting))
    assert not other.reused
    assert other.folder != first.folder
    assert prepare(written.run(tied)).reused


@pytest.mark.parametrize("name", ["train.a", "train.b", "valid.a", "valid.b"])
def test_changed_text_is_prepared_again(written, name) -> None:
    first = prepare(written.run())
    lines = written.lines(name)
    lines[3] += " ka"
    written.write(name, lines)
    other = prepare(written.run())
    assert not other.reused
    assert other.fingerprint != first.fingerprint


def test_exchanged_lines_are_a_change(written) -> None:
    prepare(written.run())
    lines = written.lines("train.a")
    written.write("train.a", [lines[1], lines[0], *lines[2:]])
    assert not prepare(written.run()).reused


def test_text_that_teaches_nothing_is_refused(written) -> None:
    written.write("train.a", [" "] * 5)
    written.write("train.b", ["\u3000"] * 5)
    with pytest.raises(DataError, match="train.a' and '.*train.b' hold only blank lines"):
        prepare(written.run())
    with pytest.raises(DataError, match="train.a' and '.*train.b' hold only empty lines"):
        prepare(written.run("data.cleaning.enabled=false"))
    written.write("train.b", ["x"] * 5)
    with pytest.raises(DataError, match="^'[^']*train.a' holds only blank lines"):
        prepare(written.run())
    assert len(prepare(written.run("data.cleaning.enabled=false")).train) == 5


def test_rules_that_leave_no_pair_are_named(written) -> None:
    with pytest.raises(
        DataError,
        match="No training pair is left of 120: .*too long.* Loosen data.cleaning, or set data.cleaning.enabled=false",
    ):
        prepare(written.run("data.cleaning.max_pieces=2"))


@pytest.mark.parametrize("cleaning", ["true", "false"])
def test_pairs_of_the_validation_text_are_left_out_of_training(written, cleaning) -> None:
    """All copies of them, also those that differ in blanks, and whatever else cleaning does."""
    pairs = written.pairs()
    held = pairs[5], pairs[70]
    for place, name in enumerate(("valid.a", "valid.b")):
        written.write(name, [pair[place] for pair in held])
    written.write("train.a", [*(pair[0] for pair in pairs), f" {held[0][0]} "])
    written.write("train.b", [*(pair[1] for pair in pairs), held[0][1].replace(" ", "  ")])
    prepared = prepare(written.run("data.exclude_validation=true", f"data.cleaning.enabled={cleaning}"))
    assert written.decoded(prepared) == [pair for pair in pairs if pair not in held]
    assert prepared.report.left_out["in the validation text"] == 3
    assert "3 in the validation text" in prepared.report.describe()


def test_invisible_characters_are_the_same_in_training_and_translation(written) -> None:
    sources = [line.replace(" ", "\u00a0").replace("a", "a\u200b") for line in written.lines("train.a")]
    plain = written.pairs()
    written.write("train.a", sources)
    prepared = prepare(written.run())
    assert written.decoded(prepared) == plain
    found = prepare(written.run())
    assert found.reused
    for subwords in (prepared.subwords, found.subwords):
        assert subwords.source.encode(sources[0]) == subwords.source.encode(plain[0][0])
    kept = prepare(written.run("subwords.normalise_invisible=false"))
    assert [source for source, _ in written.decoded(kept)] == sources


def test_a_blank_validation_text_and_warnings_of_the_text(written, caplog) -> None:
    written.write("train.b", written.lines("train.a"))
    prepare(written.run())
    assert "the same in" in caplog.text
    written.write("valid.a", [""] * len(written.lines("valid.a")))
    with pytest.raises(DataError, match="blank"):
        prepare(written.run())


def test_a_pipe_is_refused(written) -> None:
    os.mkfifo(written.folder / "pipe")
    with pytest.raises(
        DataError, match="pipe' is a pipe or device; the text is read more than once: save it"
    ):
        prepare(written.run(f"data.train_target={written.folder / 'pipe'}"))


def test_preparing_costs_the_same_memory_for_a_long_text(written, monkeypatch) -> None:
    """Chunks are small here, so that the text is long in chunks and the test is quick."""
    monkeypatch.setattr(preparation, "CHUNK", 100)
    subwords = prepare(written.run()).subwords
    folder = written.folder / "store"
    folder.mkdir()

    def peak(count: int) -> int:
        lines = written.lines("train.a")[:100]
        pairs = ((lines[number % 100], lines[number % 100].upper()) for number in range(count))
        tracemalloc.start()
        try:
            cleaner = PairCleaner(written.run().data.cleaning)
            report = preparation._write_store(cleaner, pairs, subwords, folder)
            assert report.kept == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(200)
    assert peak(3_000) < 1.2 * peak(400)


@pytest.mark.corpora
def test_real_text_is_prepared_whole(corpora, tmp_path) -> None:
    values = {"data": {"prepared": str(tmp_path)}, "subwords": {"vocabulary_size": 2_000}}
    for split in ("train", "valid"):
        for side, language in (("source", "de"), ("target", "en")):
            values["data"][f"{split}_{side}"] = str(corpora / "multi30k" / f"val.{language}")
    prepared = prepare(make_run(values))
    assert (prepared.report.read, prepared.report.kept, len(prepared.train)) == (1_014, 1_014, 1_014)
    assert prepared.subwords.source.size == 2_000
    decoded = [prepared.subwords.source.decode(prepared.train.source[index]) for index in range(1_014)]
    assert decoded == [without_invisible_characters(line).strip() for line in prepared.valid_source]


def test_text_that_an_earlier_version_prepared_has_no_checksums_and_is_found(written) -> None:
    folder = prepare(written.run()).folder
    record = json.loads((folder / "prepared.json").read_text())
    (folder / "prepared.json").write_text(json.dumps({"report": record["report"]}))
    (folder / "store.json").write_text('{"version": 1, "dtype": "<u2"}')
    prepared = prepare(written.run())
    assert prepared.reused
    assert written.decoded(prepared) == written.pairs()
