"""Checkpoints on disk: written whole or not at all, and read without running anything of theirs."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import CheckpointIO
from torch import Tensor

from nmt_lstm.checkpoint.weights import save_weights
from nmt_lstm.errors import ModelFolderError, ResourceError
from nmt_lstm.files.atomic import replacing
from nmt_lstm.files.checksums import archive_is_intact, seal_archive

__all__ = ["AtomicCheckpointIO", "read_checkpoint", "save_weights_whole", "save_whole"]


class AtomicCheckpointIO(CheckpointIO):
    """Lightning's reading and writing of checkpoints, safe against crashes, full disks and foreign pickles."""

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | Path,
        storage_options: Any | None = None,
    ) -> None:
        """Write a checkpoint; the one before stays whole until this one is."""

        def write(file: Path) -> None:
            torch.save(checkpoint, file)
            seal_archive(file)

        save_whole(Path(path), write)

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Any | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Read a checkpoint into the processor's memory."""
        return read_checkpoint(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a checkpoint, if it is there."""
        Path(path).unlink(missing_ok=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint, which may hold tensors and plain values only.

    Raises:
        ModelFolderError: it is missing, damaged or something else.
    """
    try:
        sound = archive_is_intact(path)
        checkpoint = torch.load(path, map_location="cpu", weights_only=True) if sound else None
    except FileNotFoundError:
        raise ModelFolderError(f"there is no checkpoint '{path}'; train without --resume.") from None
    except MemoryError:
        raise
    except Exception as problem:  # a damaged archive of an earlier version, without a checksum, can cause any
        raise ModelFolderError(
            f"checkpoint '{path}' cannot be read ({' '.join(str(problem).split())[:200]}); "
            f"train again without --resume, into another folder."
        ) from problem
    if not sound:
        raise ModelFolderError(
            f"checkpoint '{path}' was changed: its SHA-256 is not the one that was written into it; restore it from a "
            f"copy, or train again without --resume, into another folder."
        )
    if not isinstance(checkpoint, dict):
        raise ModelFolderError(f"checkpoint '{path}' is not one of a training; choose another folder.")
    return checkpoint


def save_weights_whole(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write weights as safetensors, whole or not at all."""
    save_whole(path, lambda file: save_weights(file, state))


def save_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, then put it in its place in one step.

    Raises:
        ResourceError: the disk is full or cannot be written; what was at `path` is still there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as written:
            write(written)
    except (OSError, RuntimeError) as problem:
        # torch's own writer reports a full disk as a RuntimeError.
        if (
            isinstance(problem, RuntimeError)
            and "write" not in str(problem)
            and "enforce" not in str(problem)
        ):
            raise
        reason = (
            problem.strerror if isinstance(problem, OSError) and problem.strerror else "the disk may be full"
        )
        advice = (
            "free some space"
            if getattr(problem, "errno", errno.ENOSPC) == errno.ENOSPC
            else "see to the disk"
        )
        raise ResourceError(
            f"cannot write '{path}' ({reason}); what was saved before is whole: {advice}, then continue with --resume."
        ) from problem
