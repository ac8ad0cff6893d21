"""Subword sampling: each epoch's pieces repeat for a seed, say the same text, and are made by one process for all."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nmt_lstm.config.load import dump_toml
from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.text import preparation
from nmt_lstm.text.epoch_store import epoch_store as of_epoch
from nmt_lstm.text.preparation import prepare
from nmt_lstm.text.subword_sampling import SAMPLING_VERSION


def epoch_store(prepared, run, epoch):
    return of_epoch(prepared, epoch, sampling=run.subwords.sampling, seed=run.seed)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_sampled_pieces_repeat_for_a_seed_and_epoch_and_say_the_same_text(written) -> None:
    run = written.run("subwords.sampling=0.2")
    prepared = prepare(run)
    first, second = epoch_store(prepared, run, 0), epoch_store(prepared, run, 1)
    cut_first = files(prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.2-1-0")
    assert written.decoded(prepared, first) == written.decoded(prepared, second) == written.decoded(prepared)
    assert (
        files(prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.2-1-1")["source.ids"]
        != cut_first["source.ids"]
    )
    shutil.rmtree(prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.2-1-0")
    epoch_store(prepared, run, 0)
    assert files(prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.2-1-0") == cut_first
    other = written.run("subwords.sampling=0.2", "seed=2")
    epoch_store(prepared, other, 0)
    assert (
        files(prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.2-2-0")["source.ids"]
        != cut_first["source.ids"]
    )


def test_without_sampling_every_epoch_has_the_prepared_pieces(written) -> None:
    run = written.run()
    prepared = prepare(run)
    assert epoch_store(prepared, run, 3) is prepared.train


def test_sampling_leaves_out_what_cleaning_left_out(written, monkeypatch) -> None:
    sources = written.lines("train.a")
    sources[4] = sources[100] = ""
    written.write("train.a", sources)
    monkeypatch.setattr(preparation, "CHUNK", 5)
    run = written.run("subwords.sampling=0.1")
    prepared = prepare(run)
    assert written.decoded(prepared, epoch_store(prepared, run, 0)) == written.decoded(prepared)
    assert len(prepared.train) == 118


def test_a_chunk_of_which_no_pair_is_kept_is_sampled_too(written, monkeypatch) -> None:
    written.write("train.a", ["", "", *written.lines("train.a")[2:]])
    monkeypatch.setattr(preparation, "CHUNK", 2)
    run = written.run("subwords.sampling=0.1")
    prepared = prepare(run)
    assert len(epoch_store(prepared, run, 0)) == 118


def test_sampled_epochs_that_are_over_are_removed(written) -> None:
    run = written.run("subwords.sampling=0.1")
    prepared = prepare(run)
    for epoch in range(4):
        epoch_store(prepared, run, epoch)
    assert sorted(path.name for path in prepared.folder.glob("sampled-*")) == [
        f"sampled-v{SAMPLING_VERSION}-0.1-1-2",
        f"sampled-v{SAMPLING_VERSION}-0.1-1-3",
    ]


def test_a_damaged_sampled_store_is_made_anew(written) -> None:
    run = written.run("subwords.sampling=0.1")
    prepared = prepare(run)
    epoch_store(prepared, run, 0)
    folder = prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.1-1-0"
    sound = files(folder)
    (folder / "target.ids").write_bytes(b"x")
    epoch_store(prepared, run, 0)
    assert files(folder) == sound


def test_text_that_changed_under_the_training_is_told(written) -> None:
    run = written.run("subwords.sampling=0.1")
    prepared = prepare(run)
    for count in (119, 121):
        for name in ("train.a", "train.b"):
            written.write(name, (written.lines(name) * 2)[:count])
        with pytest.raises(
            DataError, match="train.a' has changed since it was prepared. Start the command again"
        ):
            epoch_store(prepared, run, 0)


def test_a_full_disk_is_told_when_sampling(written, monkeypatch) -> None:
    run = written.run("subwords.sampling=0.1")
    prepared = prepare(run)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(preparation.TokenStoreWriter, "write", full)
    with pytest.raises(
        ResourceError, match="Cannot write the sampled pieces to '.*': No space left .* Make room"
    ):
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


@pytest.mark.parametrize("damaged", [False, True], ids=["anew", "damaged"])
def test_processes_that_prepare_at_once_do_not_disturb_each_other(written, damaged) -> None:
    run = written.run("subwords.sampling=0.2")
    if damaged:
        (prepare(run).folder / "source.ids").write_bytes(b"")
    file = written.folder / "run.toml"
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
    assert sum("Learning subwords" in said for _, said in answers) == 1
    alone = prepare(run)
    assert alone.reused
    assert not list(written.folder.rglob(".unfinished-*"))
    assert written.decoded(alone) == written.pairs()


def test_a_sampled_epoch_is_the_same_wherever_it_is_prepared_and_whatever_the_chunks(
    written, monkeypatch
) -> None:
    run = written.run("subwords.sampling=0.3", "subwords.kind=unigram")
    epoch_store(prepare(run), run, 2)
    name = f"sampled-v{SAMPLING_VERSION}-0.3-1-2"
    first = files(prepare(run).folder / name)
    monkeypatch.setattr(preparation, "CHUNK", 7)
    elsewhere = written.run(
        "subwords.sampling=0.3", "subwords.kind=unigram", f"data.prepared={written.folder / 'other'}"
    )
    epoch_store(prepare(elsewhere), elsewhere, 2)
    assert files(prepare(elsewhere).folder / name) == first


def test_a_flipped_bit_in_a_sampled_store_is_seen(written) -> None:
    run = written.run("subwords.sampling=0.1")
    prepared = prepare(run)
    epoch_store(prepared, run, 0)
    path = prepared.folder / f"sampled-v{SAMPLING_VERSION}-0.1-1-0" / "source.ids"
    sound = path.read_bytes()
    path.write_bytes(bytes([sound[0] ^ 1]) + sound[1:])
    epoch_store(prepared, run, 0)
    assert path.read_bytes() == sound
