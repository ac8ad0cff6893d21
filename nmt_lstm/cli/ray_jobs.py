"""Translation by actors of a Ray cluster: chunks of the input go to a free actor, and come back in order.

An actor that dies is started again by Ray, on another machine if its own is gone, and its chunk is translated again.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from nmt_lstm.cli.chunk_worker import BATCHES_PER_CHUNK, CHUNKS_PER_WORKER, ChunkWorker, LoadOptions
from nmt_lstm.cli.lines import consecutive_chunks
from nmt_lstm.errors import ResourceError
from nmt_lstm.extras import install_command

if TYPE_CHECKING:
    from nmt_lstm.inference.requests import TranslationRequest
    from nmt_lstm.inference.translation import Translation

__all__ = ["Engine", "require_ray", "translate_with_ray"]

# A chunk whose translation kills its actor again and again, for lack of memory, must end some time.
MAX_RETRIES = 3


class Engine(StrEnum):
    """What runs the workers."""

    processes = "processes"
    ray = "ray"


def require_ray() -> Any:
    """Return the module of Ray.

    Raises:
        ResourceError: it is not installed.
    """
    try:
        import ray
    except ImportError as problem:
        raise ResourceError(
            f"--engine ray needs Ray, which is not installed: {install_command('ray')}"
        ) from problem
    return ray


def translate_with_ray(
    numbered: Iterable[tuple[int, str | TranslationRequest]],
    options: LoadOptions,
    jobs: int,
    *,
    batch_size: int,
    part_lines: int = 0,
    **arguments: Any,
) -> Generator[Translation, None, None]:
    """Translate lines with actors of one processor each, and yield the translations in order.

    The cluster is that of RAY_ADDRESS; without it, actors are processes of this machine. The model folders must have the
    same paths on all machines.

    Args:
        numbered: the lines with their numbers; read only as far ahead as the actors need.
        options: how each actor loads the translator.
        jobs: the number of actors.
        batch_size: see `Translator.stream`.
        part_lines: lines of a part of the output; see `consecutive_chunks`.
        arguments: others of `Translator.stream`.

    Raises:
        NmtLstmError: from loading or translating.
        ResourceError: Ray is not installed, or an actor died several times on the same chunk.
    """
    ray = require_ray()
    from ray.util import ActorPool

    started = not ray.is_initialized()
    if started:
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    try:
        actor = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=MAX_RETRIES)(ChunkWorker)
        pool = ActorPool([actor.remote(options) for _ in range(jobs)])
        everything = {"batch_size": batch_size, **arguments}
        pending = 0
        for first_line, chunk in consecutive_chunks(
            numbered, batch_size * BATCHES_PER_CHUNK, part_lines=part_lines
        ):
            pool.submit(
                lambda worker, item: worker.translate.remote(item[0], item[1], everything),
                (first_line, chunk),
            )
            pending += 1
            if pending >= jobs * CHUNKS_PER_WORKER:
                yield from pool.get_next()
                pending -= 1
        while pool.has_next():
            yield from pool.get_next()
    except ray.exceptions.RayTaskError as problem:
        raise problem.cause from None
    except ray.exceptions.RayError as problem:
        raise ResourceError(
            f"an actor of Ray could not translate its part of the text ({type(problem).__name__}); check the memory of the "
            f"cluster's machines and that they have the model folder, or use a smaller --batch-size."
        ) from problem
    finally:
        if started:
            ray.shutdown()
