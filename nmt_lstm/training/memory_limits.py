"""Running out of memory, told as an error that says what to lower."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ResourceError
from nmt_lstm.numerics.out_of_memory import is_out_of_memory, where_memory_ran_out

__all__ = ["explain_out_of_memory"]

_WANTED = re.compile(r"(?:allocate|allocating) (\d+) bytes|Tried to allocate ([\d.]+ [KMGT]iB)")


@contextmanager
def explain_out_of_memory(settings: TrainingSettings) -> Iterator[None]:
    """Turn a refused allocation within a with statement into a ResourceError."""
    try:
        yield
    except Exception as problem:
        if not is_out_of_memory(problem):
            raise
        wanted = _WANTED.search(str(problem))
        size = ""
        if wanted is not None:
            size = wanted.group(2) or f"{int(wanted.group(1)) / 2**30:.2f} GiB"
            size = f" (the last {size} were refused)"
        raise ResourceError(
            f"not enough memory on {where_memory_ran_out(problem)} for this training{size}: lower training.batch_pieces (now "
            f"{settings.batch_pieces}), or raise training.accumulate (now {settings.accumulate}), which computes the "
            f"same in smaller parts; data.cleaning.max_pieces bounds the longest sentences. If the network itself is too "
            f"large, lower model.encoder.hidden_size, model.decoder.hidden_size and model.embedding_size."
        ) from problem
