"""The sampled pieces of an epoch depend on its seed alone, decode to the text, and are drawn by one process."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from nmt_lstm.config.load import dump_toml
from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.text import epoch_store as module
from nmt_lstm.text import pair_encoding
from nmt_lstm.text.preparation import prepare
from nmt_lstm.text.subword_sampling import SAMPLING_VERSION


def epoch_store(prepared, run, epoch):
    """The store of an epoch of a run."""
    return module.epoch_store(prepared, epoch, sampling=run.subwords.sampling, seed=run.seed)


def test_sampled_pieces_repeat_for_a_seed_and_epoch_and_decode_to_the_text(corpus) -> None:
    run = corpus.run("subwords.sampling=0.2")
    prepared = prepare(run)
    first, second = epoch_store(prepared, run, 0), epoch_store(prepared, run, 1)
    first_files = corpus.files(prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.2-1-0")
    assert corpus.decoded(prepared, first) == corpus.decoded(prepared, second) == corpus.decoded(prepared)
    assert (
        corpus.files(prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.2-1-1")["source.ids"]
        != first_files["source.ids"]
    )
    shutil.rmtree(prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.2-1-0")
    epoch_store(prepared, run, 0)
    assert corpus.files(prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.2-1-0") == first_files
    other = corpus.run("subwords.sampling=0.2", "seed=2")
    epoch_store(prepared, other, 0)
    assert (
        corpus.files(prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.2-2-0")["source.ids"]
        != first_files["source.ids"]
    )


def test_without_sampling_every_epoch_has_the_prepared_pieces(corpus) -> None:
    run = corpus.run()
    prepared = prepare(run)
    assert epoch_store(prepared, run, 3) is prepared.train


def test_sampling_leaves_out_the_same_pairs_as_cleaning(corpus, monkeypatch) -> None:
    sources = corpus.lines("train.a")
    sources[4] = sources[100] = ""
    corpus.write("train.a", sources)
    monkeypatch.setattr(pair_encoding, "CHUNK", 5)
    run = corpus.run("subwords.sampling=0.1")
    prepared = prepare(run)
    assert corpus.decoded(prepared, epoch_store(prepared, run, 0)) == corpus.decoded(prepared)
    assert len(prepared.train) == 118


def test_a_chunk_without_any_kept_pair_is_sampled(corpus, monkeypatch) -> None:
    corpus.write("train.a", ["", "", *corpus.lines("train.a")[2:]])
    monkeypatch.setattr(pair_encoding, "CHUNK", 2)
    run = corpus.run("subwords.sampling=0.1")
    prepared = prepare(run)
    assert len(epoch_store(prepared, run, 0)) == 118


def test_the_stores_of_earlier_epochs_are_removed(corpus) -> None:
    run = corpus.run("subwords.sampling=0.1")
    prepared = prepare(run)
    for epoch in range(4):
        epoch_store(prepared, run, epoch)
    assert sorted(path.name for path in prepared.folder.glob("sampled-*")) == [
        f"sampled-v{SAMPLING_VERSION}-0.1-1-2",
        f"sampled-v{SAMPLING_VERSION}-0.1-1-3",
    ]


def test_a_damaged_sampled_store_is_replaced(corpus) -> None:
    run = corpus.run("subwords.sampling=0.1")
    prepared = prepare(run)
    epoch_store(prepared, run, 0)
    folder = prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.1-1-0"
    sound = corpus.files(folder)
    (folder / "target.ids").write_bytes(b"x")
    epoch_store(prepared, run, 0)
    assert corpus.files(folder) == sound


def test_text_that_changes_during_training_is_an_error(corpus) -> None:
    run = corpus.run("subwords.sampling=0.1")
    prepared = prepare(run)
    for count in (119, 121):
        for name in ("train.a", "train.b"):
            corpus.write(name, (corpus.lines(name) * 2)[:count])
        with pytest.raises(DataError, match="train.a' has changed"):
            epoch_store(prepared, run, 0)


def test_a_full_disk_is_an_error(corpus, monkeypatch) -> None:
    run = corpus.run("subwords.sampling=0.1")
    prepared = prepare(run)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.TokenStoreWriter, "write", full)
    with pytest.raises(ResourceError, match="sampled pieces.*No space left"):
        epoch_store(prepared, run, 0)
    assert not list(prepared.folder.glob("*sampled*"))
    assert not list(prepared.folder.glob(".unfinished*"))


SCRIPT = """
import sys
from nmt_lstm.config.load import load_run
from nmt_lstm.text.epoch_store import epoch_store
from nmt_lstm.text.preparation import prepare
run = load_run(sys.argv[1])
print("ready", flush=True)
input()
prepared = prepare(run, lambda sentence: print(sentence, file=sys.stderr))
for epoch in range(2):
    print(prepared.folder, len(prepared.train), len(epoch_store(prepared, epoch, sampling=0.2, seed=run.seed)))
"""


@pytest.mark.parametrize("damaged", [False, True], ids=["first time", "damaged"])
def test_processes_that_prepare_at_the_same_time_share_the_result(corpus, damaged) -> None:
    run = corpus.run("subwords.sampling=0.2")
    if damaged:
        (prepare(run).folder / "source.ids").write_bytes(b"")
    file = corpus.folder / "run.toml"
    file.write_text(dump_toml(run), encoding="utf-8")
    command = [sys.executable, "-c", SCRIPT, str(file)]
    processes = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], answers
    assert len({out for out, _ in answers}) == 1
    assert sum("Learning subword pieces" in progress for _, progress in answers) == 1
    prepared = prepare(run)
    assert prepared.reused
    assert not list(corpus.folder.rglob(".unfinished-*"))
    assert corpus.decoded(prepared) == corpus.pairs()


def test_a_sampled_epoch_depends_neither_on_the_folder_nor_on_chunks(corpus, monkeypatch) -> None:
    run = corpus.run("subwords.sampling=0.3", "subwords.kind=unigram")
    epoch_store(prepare(run), run, 2)
    name = f"sampled-v{SAMPLING_VERSION}-0.3-1-2"
    first = corpus.files(prepare(run).folder / name)
    monkeypatch.setattr(pair_encoding, "CHUNK", 7)
    other = corpus.run(
        "subwords.sampling=0.3", "subwords.kind=unigram", f"data.prepared={corpus.folder / 'other'}"
    )
    epoch_store(prepare(other), other, 2)
    assert corpus.files(prepare(other).folder / name) == first


def test_a_flipped_bit_in_a_sampled_store_is_repaired(corpus) -> None:
    run = corpus.run("subwords.sampling=0.1")
    prepared = prepare(run)
    epoch_store(prepared, run, 0)
    path = prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.1-1-0" / "source.ids"
    sound = path.read_bytes()
    path.write_bytes(bytes([sound[0] ^ 1]) + sound[1:])
    epoch_store(prepared, run, 0)
    assert path.read_bytes() == sound
