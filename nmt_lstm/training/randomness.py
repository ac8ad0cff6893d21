"""The randomness of each training step as a function of its epoch and position, so that nothing random needs to be stored."""

from __future__ import annotations

import hashlib
import struct

import torch

__all__ = ["seed_step", "step_seed"]


def step_seed(*, seed: int, epoch: int, micro_batch: int, rank: int) -> int:
    """Return a 63-bit seed for one micro-batch; those that differ in anything get unrelated seeds."""
    identity = struct.pack("<QQQQ", seed, epoch, micro_batch, rank)
    return int.from_bytes(hashlib.blake2b(identity, digest_size=8).digest(), "little") >> 1


def seed_step(device: torch.device, *, seed: int, epoch: int, micro_batch: int, rank: int) -> None:
    """Seed the generators that a training step on `device` draws from."""
    value = step_seed(seed=seed, epoch=epoch, micro_batch=micro_batch, rank=rank)
    # torch.manual_seed would seed devices that were never used too, and format a stack trace each time.
    torch.default_generator.manual_seed(value)
    if device.type == "cuda":
        torch.cuda.manual_seed(value)
