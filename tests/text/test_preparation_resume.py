"""An interrupted preparation is continued: what is complete is not done again, and the result is the same."""

from __future__ import annotations

import functools
import shutil
import signal
import subprocess
import sys

import pytest

from nmt_lstm.config.load import make_run
from nmt_lstm.text import fingerprint, pair_encoding, preparation, store_writing, vocabulary_sample
from nmt_lstm.text.cleaning import PairSet
from nmt_lstm.text.preparation import prepare
from nmt_lstm.text.store_progress import PROGRESS, StoreProgress

SETTINGS = ("data.cleaning.drop_duplicates=true", "data.exclude_validation=true")


class InterruptionError(Exception):
    """What ends a preparation in these tests."""


@pytest.fixture
def interrupted(corpus, monkeypatch):
    """A corpus of 120 pairs, of which an interrupted preparation has recorded 40; and the files of a complete one."""
    sources, targets = corpus.lines("train.a"), corpus.lines("train.b")
    # Copies of pairs before and after the interruption, and a pair of the validation text.
    for number in (30, 60, 100):
        sources[number], targets[number] = sources[number - 25], targets[number - 25]
    sources[10], targets[10] = corpus.lines("valid.a")[0], corpus.lines("valid.b")[0]
    corpus.write("train.a", sources)
    corpus.write("train.b", targets)
    whole = prepare(corpus.run(*SETTINGS))
    files = corpus.files(whole.folder)
    assert whole.report.left_out["duplicate"] == 3
    assert whole.report.left_out["in the validation text"] == 1
    shutil.rmtree(corpus.folder / "prepared")
    monkeypatch.setattr(pair_encoding, "CHUNK", 20)
    for module in (store_writing, preparation):
        monkeypatch.setattr(module, "CHECKPOINT_PAIRS", 40)

    write = store_writing.TokenStoreWriter.write_arrays
    calls = []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise InterruptionError
        write(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(store_writing.TokenStoreWriter, "write_arrays", failing)
        with pytest.raises(InterruptionError):
            prepare(corpus.run(*SETTINGS))
    (folder,) = (corpus.folder / "prepared").iterdir()
    progress = StoreProgress.read_from(folder)
    assert progress.read == 40
    assert folder.name.startswith(".")
    return folder, files


def no_learning(*_: object, **__: object) -> None:
    raise AssertionError("the vocabulary was learnt again")


def encoded_pairs(monkeypatch) -> list[int]:
    """The numbers of the pairs that are split from now on."""
    numbers: list[int] = []
    encode = pair_encoding.PairEncoder.encode

    def recorded(encoder, chunk):
        numbers.extend(range(chunk.first, chunk.first + len(chunk.pairs)))
        return encode(encoder, chunk)

    monkeypatch.setattr(pair_encoding.PairEncoder, "encode", recorded)
    return numbers


def test_only_the_rest_is_done_and_the_result_is_the_same(corpus, interrupted, monkeypatch) -> None:
    _, files = interrupted
    monkeypatch.setattr(preparation, "train_subwords", no_learning)
    numbers, sentences = encoded_pairs(monkeypatch), []
    prepared = prepare(corpus.run(*SETTINGS), sentences.append)
    assert corpus.files(prepared.folder) == files
    assert numbers == list(range(40, 120))
    assert sentences[0].startswith("Continuing after 40 pairs")
    assert corpus.prepared_folders() == [prepared.folder.name]


KILLED = """
import functools, os, signal
from pathlib import Path
from nmt_lstm.config.load import load_run
from nmt_lstm.text import pair_encoding, preparation, store_writing

pair_encoding.CHUNK = 20
store_writing.CHECKPOINT_PAIRS = preparation.CHECKPOINT_PAIRS = 60
preparation.write_store = functools.partial(
    store_writing.write_store, on_checkpoint=lambda _: os.kill(os.getpid(), signal.SIGKILL)
)
preparation.prepare(load_run(Path("run.toml")))
"""


def test_a_killed_process_is_continued(corpus, monkeypatch) -> None:
    files = corpus.files(prepare(corpus.run()).folder)
    shutil.rmtree(corpus.folder / "prepared")
    texts = "".join(
        f'{split}_{side} = "{split}.{letter}"\n'
        for split in ("train", "valid")
        for side, letter in (("source", "a"), ("target", "b"))
    )
    settings = '[subwords]\nkind = "bpe"\nvocabulary_size = 310\n'
    (corpus.folder / "run.toml").write_text(f'[data]\n{texts}prepared = "prepared"\n{settings}')
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=corpus.folder, check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    numbers = encoded_pairs(monkeypatch)
    prepared = prepare(corpus.run())
    assert numbers == list(range(60, 120))
    assert corpus.files(prepared.folder) == files
    assert corpus.prepared_folders() == [prepared.folder.name]


@pytest.mark.parametrize("name", ["source.ids", "target.offsets", "kept"])
def test_damaged_pieces_are_made_again(corpus, interrupted, monkeypatch, caplog, name) -> None:
    folder, files = interrupted
    monkeypatch.setattr(preparation, "train_subwords", no_learning)
    content = bytearray((folder / name).read_bytes())
    content[3] ^= 1
    (folder / name).write_bytes(content)
    numbers = encoded_pairs(monkeypatch)
    assert corpus.files(prepare(corpus.run(*SETTINGS)).folder) == files
    assert numbers == list(range(120))
    assert "changed" in caplog.text


@pytest.mark.parametrize("name", [PROGRESS, "subwords.joint.model"])
@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_without_its_record_or_vocabulary_all_is_done_again(corpus, interrupted, name, damage) -> None:
    folder, files = interrupted
    if damage == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes((folder / name).read_bytes()[:-9])
    assert corpus.files(prepare(corpus.run(*SETTINGS)).folder) == files


def test_a_changed_text_does_not_continue_a_different_one(corpus, interrupted) -> None:
    folder, _ = interrupted
    corpus.write("train.a", [f"{line} ka" for line in corpus.lines("train.a")])
    prepared = prepare(corpus.run(*SETTINGS))
    assert len(prepared.train) == len(corpus.decoded(prepared)) > 100
    assert folder.exists()


def test_a_corpus_that_is_complete_is_not_read_again(corpus, monkeypatch) -> None:
    monkeypatch.setattr(pair_encoding, "CHUNK", 20)
    for module in (store_writing, preparation):
        monkeypatch.setattr(module, "CHECKPOINT_PAIRS", 150)
    for name in "ab":
        shutil.copy(corpus.folder / f"train.{name}", corpus.folder / f"more.{name}")
    corpora = [{"source": f"{name}.a", "target": f"{name}.b"} for name in ("train", "more")]
    data = {"corpora": corpora, "valid_source": "valid.a", "valid_target": "valid.b"}
    run = make_run({"data": data, "subwords": {"kind": "bpe", "vocabulary_size": 310}}, folder=corpus.folder)
    files = corpus.files(prepare(run).folder)
    shutil.rmtree(corpus.folder / "prepared")

    def interrupt(progress):
        assert progress.read == 160
        raise InterruptionError

    writing = functools.partial(store_writing.write_store, on_checkpoint=interrupt)
    with monkeypatch.context() as patch:
        patch.setattr(preparation, "write_store", writing)
        with pytest.raises(InterruptionError):
            prepare(run)
    numbers = encoded_pairs(monkeypatch)
    prepared = prepare(run)
    assert numbers == list(range(40, 120))
    assert corpus.files(prepared.folder) == files
    assert [report.read for report in prepared.reports] == [120, 120]


def test_pairs_of_long_lines_are_recorded_more_often(corpus, monkeypatch) -> None:
    subwords, folder = prepare(corpus.run()).subwords, corpus.folder / "store"
    folder.mkdir()
    monkeypatch.setattr(pair_encoding, "CHUNK", 20)
    monkeypatch.setattr(store_writing, "CHECKPOINT_PIECES", 1)
    read: list[int] = []
    store_writing.write_store(
        corpus.run().data,
        subwords,
        folder,
        PairSet(),
        StoreProgress(120, {}),
        on_checkpoint=lambda progress: read.append(progress.read),
    )
    assert read == [20, 40, 60, 80, 100, 120]
    assert not (folder / PROGRESS).exists()


def test_a_long_text_has_a_new_fingerprint_and_what_earlier_versions_prepared_is_reused(
    corpus, monkeypatch
) -> None:
    """Its vocabulary is learnt from a smaller part of it than before."""
    before = prepare(corpus.run())
    monkeypatch.setattr(vocabulary_sample, "MAX_OTHER_CHARACTERS", 2_000)
    data, settings = corpus.run().data, corpus.run().subwords
    current, earlier, texts = fingerprint.fingerprints_of(data, settings)
    assert [name for name, _ in texts] == [
        str(path) for path in (*data.training_files(), *data.validation_files())
    ]
    assert earlier == before.fingerprint != current
    reused = prepare(corpus.run())
    assert reused.reused
    assert reused.fingerprint == before.fingerprint
    shutil.rmtree(before.folder)
    new = prepare(corpus.run())
    assert new.fingerprint == current
    assert new.folder.name == current[:16]
    assert prepare(corpus.run()).reused
    # Without a vocabulary to learn, nothing has changed.
    again = settings.model_copy(update={"model": new.folder})
    unchanged = fingerprint.fingerprints_of(data, again)
    assert unchanged.current == unchanged.earlier
