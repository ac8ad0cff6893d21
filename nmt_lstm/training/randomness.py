"""Random seeds as functions of epoch and position, so that resuming needs no stored random state."""

from __future__ import annotations

import hashlib
import struct

import torch

__all__ = ["seed_of", "seed_step", "step_seed"]


def seed_of(key: bytes) -> int:
    """Return a 63-bit seed; different keys get unrelated seeds, even if they differ in one bit."""
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") >> 1


def step_seed(*, seed: int, epoch: int, micro_batch: int, rank: int, part: int = 1) -> int:
    """Return the seed of a micro-batch of a process, or of a part of it; part 1 is the whole."""
    parts = struct.pack("<Q", part) if part > 1 else b""
    return seed_of(struct.pack("<QQQQ", seed, epoch, micro_batch, rank) + parts)


def seed_step(
    device: torch.device, *, seed: int, epoch: int, micro_batch: int, rank: int, part: int = 1
) -> None:
    """Seed the generators that a training step on `device` draws from."""
    value = step_seed(seed=seed, epoch=epoch, micro_batch=micro_batch, rank=rank, part=part)
    # Not torch.manual_seed: it would also seed devices that were never used, and format a stack trace each time.
    torch.default_generator.manual_seed(value)
    if device.type == "cuda":
        torch.cuda.manual_seed(value)
