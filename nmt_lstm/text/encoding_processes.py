"""Processes that clean pairs and split them into pieces, chunk by chunk, in the order of the text.

They are started as commands, not by `multiprocessing`, which would run the program of a user of the library again in each of
them. They end when this process ends, even if it is killed, because their input ends.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

from nmt_lstm.errors import NmtLstmError, ResourceError
from nmt_lstm.text.pair_encoding import EncodedPairs, PairChunk, PairEncoder

__all__ = ["encoding", "process_count", "serve"]

# Starting a process takes about as long as splitting so many pairs.
MIN_PAIRS_PER_PROCESS = 50_000
# Chunks that are read ahead for each process.
CHUNKS_PER_PROCESS = 2
_PACKAGES = Path(__file__).parents[2]
_COMMAND = (
    "import sys; sys.path.insert(0, sys.argv[1]); from nmt_lstm.text.encoding_processes import serve; serve()"
)


def process_count(pairs: int, jobs: int | None = None) -> int:
    """Return how many processes are worth it for a text: 1 is this process alone.

    Args:
        pairs: of the text.
        jobs: at most this many; by default as many as there are cores that this process may use.
    """
    if jobs is None:
        # macOS cannot restrict processes to cores.
        jobs = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, min(jobs, pairs // MIN_PAIRS_PER_PROCESS))


@contextmanager
def encoding(processes: int) -> Iterator[Encoding]:
    """Start processes, and end them with the block.

    Args:
        processes: their number; 1 is this process alone.

    Raises:
        ResourceError: a process cannot be started.
    """
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(_Worker()) for _ in range(processes)] if processes > 1 else []
        yield Encoding(workers)


class Encoding:
    """Encodes the chunks of texts.

    Args:
        workers: processes; without them, this process encodes.
    """

    def __init__(self, workers: list[_Worker]) -> None:
        self._workers = workers

    def encoded(self, encoder: PairEncoder, chunks: Iterable[PairChunk]) -> Iterator[EncodedPairs]:
        """Yield the pieces of each chunk, in order; chunks are read only a few ahead.

        Raises:
            ResourceError: a process died.
        """
        if not self._workers:
            yield from map(encoder.encode, chunks)
            return
        free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._workers:
            worker.use(encoder)
            free.put(worker)

        def encode(chunk: PairChunk) -> EncodedPairs:
            worker = free.get()
            try:
                return worker.encode(chunk)
            finally:
                free.put(worker)

        pending: deque[Future[EncodedPairs]] = deque()
        with ThreadPoolExecutor(len(self._workers)) as threads:
            try:
                for chunk in chunks:
                    pending.append(threads.submit(encode, chunk))
                    if len(pending) > CHUNKS_PER_PROCESS * len(self._workers):
                        yield pending.popleft().result()
                while pending:
                    yield pending.popleft().result()
            finally:
                threads.shutdown(wait=True, cancel_futures=True)


class _Worker:
    """A process that encodes one chunk at a time."""

    def __init__(self) -> None:
        to_read, self._to_process = _pipe()
        self._from_process, to_write = _pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and our own code
                [sys.executable, "-c", _COMMAND, str(_PACKAGES)],
                stdin=to_read.fileno(),
                stdout=to_write.fileno(),
            )
        except OSError as error:
            raise ResourceError(
                f"cannot start a process to split text: {error.strerror or error}; try --jobs 1."
            ) from None
        finally:
            to_read.close()
            to_write.close()

    def use(self, encoder: PairEncoder) -> None:
        """Encode the following chunks with this encoder."""
        with self._explained():
            self._to_process.send(encoder)

    def encode(self, chunk: PairChunk) -> EncodedPairs:
        """Return the pieces of a chunk."""
        with self._explained():
            self._to_process.send(chunk)
            answer: EncodedPairs | NmtLstmError = self._from_process.recv()
        if isinstance(answer, NmtLstmError):
            raise answer
        return answer

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError) as problem:
            self._process.kill()
            raise ResourceError(
                f"a process that splits text into pieces died (exit status {self._process.wait()}), perhaps for lack of memory; "
                "rerun the command to continue, with fewer processes if needed (--jobs 1)."
            ) from problem

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._to_process.close()
        self._process.terminate()
        self._process.wait()
        self._from_process.close()


def _pipe() -> tuple[Connection, Connection]:
    """Return the end of a pipe that is read, and the one that is written."""
    read, write = os.pipe()
    return Connection(read, writable=False), Connection(write, readable=False)


def serve() -> None:
    """Encode the chunks that come from standard input, until it ends."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # ctrl-C reaches all processes; the first one ends the others
    requests = Connection(os.dup(0), writable=False)
    answers = Connection(os.dup(1), readable=False)
    # What a library prints must not get among the answers.
    os.dup2(2, 1)
    encoder: PairEncoder | None = None
    while True:
        try:
            request = requests.recv()
        except EOFError:
            return
        if isinstance(request, PairEncoder):
            encoder = request
            continue
        assert encoder is not None
        try:
            answers.send(encoder.encode(request))
        except NmtLstmError as error:
            answers.send(error)
        except BrokenPipeError:
            return
