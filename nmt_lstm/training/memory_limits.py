"""Running out of memory, told as an error that says what to lower."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ResourceError

__all__ = ["explain_out_of_memory"]

_REFUSED = re.compile(
    r"can('t|not) allocate memory|not enough memory|out of memory|_ALLOC_FAILED|storage size calculation overflowed",
    re.IGNORECASE,
)
_WANTED = re.compile(r"(?:allocate|allocating) (\d+) bytes|Tried to allocate ([\d.]+ [KMGT]iB)")


@contextmanager
def explain_out_of_memory(settings: TrainingSettings) -> Iterator[None]:
    """Turn a refused allocation within a with statement into a ResourceError."""
    try:
        yield
    except (MemoryError, RuntimeError) as problem:
        message = str(problem)
        if not isinstance(problem, (MemoryError, torch.OutOfMemoryError)) and not _REFUSED.search(message):
            raise
        wanted = _WANTED.search(message)
        size = ""
        if wanted is not None:
            size = wanted.group(2) or f"{int(wanted.group(1)) / 2**30:.2f} GiB"
            size = f" (the last {size} were refused)"
        place = (
            "the GPU" if isinstance(problem, torch.OutOfMemoryError) or "CUDA" in message else "this machine"
        )
        raise ResourceError(
            f"not enough memory on {place} for this training{size}: lower training.batch_pieces (now "
            f"{settings.batch_pieces}), or raise training.accumulate (now {settings.accumulate}), which computes the "
            f"same in smaller parts; data.cleaning.max_pieces bounds the longest sentences. If the network itself is too "
            f"large, lower model.encoder.hidden_size, model.decoder.hidden_size and model.embedding_size."
        ) from problem
