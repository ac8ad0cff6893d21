"""The checkpoint from which all processes of a run continue, even if only the first one's machine has it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from nmt_lstm.files.checksums import sha256_of
from nmt_lstm.training.checkpointing import write_atomically
from nmt_lstm.training.launch import Launch
from nmt_lstm.training.peers import Peers
from nmt_lstm.training.resumption import ResumePoint

__all__ = ["newest_of_first"]


def newest_of_first(output: Path, launch: Launch, peers: Peers, copies: Path) -> ResumePoint | None:
    """Return the newest sound checkpoint of the first process; None if it has none. All processes take part.

    Machines that do not see its folder receive a copy.

    Args:
        output: folder of the run.
        launch: the rank of this process.
        peers: the other processes.
        copies: where to put a copy.

    Raises:
        LostProcessError: another process is lost.
        ModelFolderError: all checkpoints are damaged.
        ResourceError: the copy cannot be written.
    """
    if launch.nodes == 1 or not peers.have_met:
        return ResumePoint.newest(output)
    point = ResumePoint.newest(output) if launch.is_first else None
    own = {"file": point.path.name, "sha256": sha256_of(point.path)} if point is not None else None
    told = peers.gather(own)[0]
    if told is None:
        return None
    path = point.path if point is not None else output / "checkpoints" / Path(told["file"]).name
    if not launch.is_first and not (path.is_file() and sha256_of(path) == told["sha256"]):
        path = copies / path.name
    lacks = path.parent == copies
    ranks = [rank for rank, needs in enumerate(peers.gather(lacks and launch.local_rank == 0)) if needs]
    if launch.is_first:
        peers.send_file(path, ranks)
    elif launch.rank in ranks:
        write_atomically(path, peers.receive_file)
    peers.gather("received")
    if point is None:
        point = ResumePoint.read(path)
    return dataclasses.replace(point, path=path)
