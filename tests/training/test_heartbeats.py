"""Each process of a run learns when another one is silent, has ended or has failed, but not when it is only busy."""

from __future__ import annotations

import queue
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nmt_lstm.training import heartbeats
from nmt_lstm.training.frames import LARGEST, Kind, encode
from nmt_lstm.training.heartbeats import Heartbeats, Loss

SECRET = b"0123456789abcdef"
Make = Callable[[int], tuple[Heartbeats, "queue.SimpleQueue[Loss]"]]


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    monkeypatch.setattr(heartbeats, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(heartbeats, "GRACE_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened


@pytest.fixture
def make(listener: socket.socket) -> Iterator[Make]:
    """Return a function that makes the heartbeats of a process of three, connected if it is not the first."""
    made: list[Heartbeats] = []

    def new(rank: int) -> tuple[Heartbeats, queue.SimpleQueue[Loss]]:
        losses: queue.SimpleQueue[Loss] = queue.SimpleQueue()
        each = Heartbeats(rank=rank, world_size=3, host=f"host-{rank}", silence=0.4, give_up=losses.put)
        made.append(each)
        if rank:
            each.connect("127.0.0.1", listener.getsockname()[1], SECRET, 5.0)
        else:
            each.listen(listener.dup(), SECRET)
        return each, losses

    yield new
    for each in made:
        each.leave(None)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def three(make: Make) -> list[tuple[Heartbeats, queue.SimpleQueue[Loss]]]:
    processes = [make(rank) for rank in range(3)]
    wait_for(lambda: processes[0][0].connected() == 3)
    return processes


def test_values_are_shared_in_the_order_of_ranks(make: Make) -> None:
    processes = three(make)
    for value in ("a", "b"):  # the second may be sent before the first is received
        for rank in (2, 0, 1):
            processes[rank][0].share(f"{value}{rank}")
    for process, _ in processes:
        assert process.shared(10.0) == ["a0", "a1", "a2"]
        assert process.shared(10.0) == ["b0", "b1", "b2"]
        assert process.shared(0.0) is None


def test_a_busy_process_is_not_lost(make: Make) -> None:
    processes = three(make)
    time.sleep(1.0)  # the main thread of all does nothing else
    assert all(process.loss is None for process, _ in processes)


def test_a_file_reaches_those_who_need_it(make: Make, tmp_path: Path) -> None:
    processes = three(make)
    content = bytes(range(256)) * 10_000
    (tmp_path / "file").write_bytes(content)
    processes[0][0].send_file(tmp_path / "file", [2]).result(timeout=20.0)
    received = b""
    while part := processes[2][0].data(10.0):
        received += part
    assert received == content
    assert processes[1][0].data(0.0) is None


def test_a_silent_process_is_lost_and_all_learn_it(make: Make, listener: socket.socket) -> None:
    first, other = make(0), make(1)
    with socket.create_connection(("127.0.0.1", listener.getsockname()[1])) as silent:
        silent.sendall(encode(Kind.HELLO, {"secret": SECRET.hex(), "rank": 2, "host": "stopped"}))
        for _, losses in (first, other):
            assert "stopped) has not answered" in losses.get(timeout=20.0).what


@pytest.mark.parametrize(
    ("last_words", "word"), [(b"", "without a message"), (encode(Kind.FAILED, "disk full."), "disk full")]
)
def test_the_end_of_a_process_is_noticed(
    make: Make, listener: socket.socket, last_words: bytes, word: str
) -> None:
    first, losses = make(0)
    with socket.create_connection(("127.0.0.1", listener.getsockname()[1])) as other:
        other.sendall(encode(Kind.HELLO, {"secret": SECRET.hex(), "rank": 2, "host": "host-2"}))
        wait_for(lambda: first.connected() == 2)
        other.sendall(last_words)
    loss = losses.get(timeout=20.0)
    assert (loss.rank, first.loss) == (2, loss)
    assert word in loss.what


def test_the_end_of_the_run_is_no_loss(make: Make) -> None:
    processes = three(make)
    for process, _ in processes:
        process.leave(None)
    time.sleep(0.3)
    assert all(process.loss is None and losses.empty() for process, losses in processes)


@pytest.mark.parametrize(
    "hello",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        encode(Kind.HELLO, {"secret": "00", "rank": 1, "host": "a"}),
        encode(Kind.HELLO, {"secret": "no", "rank": 1, "host": "a"}),
        encode(Kind.HELLO, {"secret": SECRET.hex(), "rank": 3, "host": "a"}),
        encode(Kind.HELLO, {"secret": SECRET.hex(), "rank": 1}),
        encode(Kind.HELLO, [1]),
        encode(Kind.HELLO)[:1] + (LARGEST + 1).to_bytes(4, "big"),
    ],
)
def test_a_stranger_is_turned_away(make: Make, listener: socket.socket, hello: bytes) -> None:
    first, losses = make(0)
    with socket.create_connection(("127.0.0.1", listener.getsockname()[1])) as stranger:
        stranger.settimeout(20.0)
        stranger.sendall(hello)
        stranger.shutdown(socket.SHUT_WR)
        assert stranger.recv(1) == b""
    assert first.connected() == 1
    assert losses.empty()
