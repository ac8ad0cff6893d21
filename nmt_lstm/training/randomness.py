"""The randomness of each training step as a function of its epoch and position, so that nothing random needs to be stored."""

from __future__ import annotations

import hashlib
import struct

import torch

__all__ = ["seed_of", "seed_step", "step_seed"]


def seed_of(place: bytes) -> int:
    """Return a 63-bit seed; places that differ in anything get unrelated ones."""
    return int.from_bytes(hashlib.blake2b(place, digest_size=8).digest(), "little") >> 1


def step_seed(*, seed: int, epoch: int, micro_batch: int, rank: int) -> int:
    """Return the seed of one micro-batch."""
    return seed_of(struct.pack("<QQQQ", seed, epoch, micro_batch, rank))


def seed_step(device: torch.device, *, seed: int, epoch: int, micro_batch: int, rank: int) -> None:
    """Seed the generators that a training step on `device` draws from."""
    value = step_seed(seed=seed, epoch=epoch, micro_batch=micro_batch, rank=rank)
    # torch.manual_seed would seed devices that were never used too, and format a stack trace each time.
    torch.default_generator.manual_seed(value)
    if device.type == "cuda":
        torch.cuda.manual_seed(value)
