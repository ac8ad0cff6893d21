"""All processes continue from the checkpoint of the first one, whether or not their machines see its folder."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nmt_lstm.training.checkpointing import AtomicCheckpointIO
from nmt_lstm.training.first_checkpoint import newest_of_first
from nmt_lstm.training.launch import Launch
from nmt_lstm.training.output_folder import checkpoint_path, folder_for_copies
from nmt_lstm.training.peers import Peers
from nmt_lstm.training.resumption import ResumePoint


def newest(folders: list[Path]) -> list[tuple[ResumePoint | None, bool]]:
    """What each of two processes on machines of their own continues from, and whether it received it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])

    def process(rank: int) -> tuple[ResumePoint | None, bool]:
        launch = Launch(nodes=2, node_rank=rank, port=port)
        with Peers() as peers, folder_for_copies(folders[rank], rank) as copies:
            peers.join(launch)
            point = newest_of_first(folders[rank], launch, peers, copies)
            return point, copies.exists()

    with ThreadPoolExecutor(2) as pool:
        return [each.result(timeout=60) for each in [pool.submit(process, rank) for rank in range(2)]]


def save(folder: Path, step: int) -> None:
    AtomicCheckpointIO().save_checkpoint({"global_step": step}, checkpoint_path(folder))


@pytest.mark.parametrize(
    ("own", "received"), [(None, True), (3, True), (7, False)], ids=["none", "an old one", "the same"]
)
def test_a_machine_without_the_checkpoint_receives_a_copy(
    tmp_path: Path, own: int | None, received: bool
) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    save(folders[0], 7)
    if own is not None:
        save(folders[1], own)
    (first, _), (other, copied) = newest(folders)
    assert first is not None
    assert other is not None
    assert (first.step, other.step, copied) == (7, 7, received)
    # The copy is gone, and an old one is as it was.
    assert checkpoint_path(folders[1]).exists() == (own is not None)
    assert own is None or ResumePoint.read(checkpoint_path(folders[1])).step == own
    assert [path.name for path in folders[1].glob(".*")] == []


def test_a_checkpoint_of_another_machine_alone_does_not_count(tmp_path: Path) -> None:
    save(tmp_path / "b", 3)
    (tmp_path / "a").mkdir()
    assert newest([tmp_path / "a", tmp_path / "b"]) == [(None, False), (None, False)]
