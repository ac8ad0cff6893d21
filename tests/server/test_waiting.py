"""Which lines are translated together, and in which order clients get their turns."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from nmt_lstm.server.problems import RequestError
from nmt_lstm.server.units import Kind, Translated, Unit
from nmt_lstm.server.waiting import SMALLEST_SHARE, Batch, WaitingLines

KIND = Kind("model")


def lines_of(*texts: str) -> list[Unit]:
    return [Unit(text) for text in texts]


def waiting_lines(
    size: int = 16, characters: int = 10_000, limit: int = 1_000_000, workers: int = 1
) -> WaitingLines:
    return WaitingLines(batch_size=size, batch_characters=characters, limit=limit, workers=workers)


def names(batch: Batch) -> list[str]:
    return [entry.job.client for entry in batch.entries]


def test_lines_of_different_clients_are_in_one_batch_and_results_find_their_jobs() -> None:
    async def use() -> None:
        waiting = waiting_lines()
        jobs = [waiting.submit(name, KIND, lines_of(f"{name} 1", f"{name} 2")) for name in "abc"]
        batch = await waiting.take()
        assert sorted(names(batch)) == ["a", "a", "b", "b", "c", "c"]
        batch.finish([Translated((entry.unit.text.upper(),)) for entry in batch.entries])
        for job, name in zip(jobs, "ABC", strict=True):
            await job.done
            assert [result.texts[0] for result in job.results] == [f"{name} 1", f"{name} 2"]
        assert (waiting.lines, waiting.characters) == (0, 0)

    asyncio.run(use())


def test_clients_take_turns_by_the_cost_of_their_lines() -> None:
    async def use() -> None:
        waiting = waiting_lines(size=8)
        waiting.submit("many", KIND, lines_of(*["x" * 80] * 100))
        waiting.submit("few", KIND, lines_of(*["x" * 80] * 4))
        waiting.submit("short", KIND, lines_of(*["x" * 8] * 40))
        batches = [await waiting.take() for _ in range(4)]
        taken = Counter(name for batch in batches for name in names(batch))
        assert taken["few"] == 4
        # A short line costs a quarter of a long one.
        assert taken["short"] > 2 * taken["many"]

    asyncio.run(use())


def test_a_new_client_does_not_wait_for_the_lines_of_another_nor_catch_up() -> None:
    async def use() -> None:
        waiting = waiting_lines(size=8)
        waiting.submit("many", KIND, lines_of(*["x" * 80] * 100))
        for _ in range(5):
            await waiting.take()
        waiting.submit("new", KIND, lines_of(*["x" * 80] * 100))
        assert 3 <= names(await waiting.take()).count("new") <= 5
        assert 3 <= names(await waiting.take()).count("new") <= 5

    asyncio.run(use())


def test_requests_of_one_client_take_turns() -> None:
    async def use() -> None:
        waiting = waiting_lines(size=8)
        waiting.submit("one", KIND, lines_of(*["document"] * 100))
        waiting.submit("one", KIND, lines_of("sentence"))
        assert "sentence" in [entry.unit.text for entry in (await waiting.take()).entries]

    asyncio.run(use())


def test_short_lines_are_not_in_a_batch_with_long_ones() -> None:
    async def use() -> None:
        waiting = waiting_lines()
        waiting.submit("a", KIND, lines_of("long " * 200))
        waiting.submit("b", KIND, lines_of("short"))
        waiting.submit("c", KIND, lines_of("long " * 190))
        batches = [await waiting.take() for _ in range(2)]
        assert sorted(map(sorted, map(names, batches))) == [["a", "c"], ["b"]]

    asyncio.run(use())


def test_a_batch_has_lines_of_one_kind_and_a_bounded_cost() -> None:
    async def use() -> None:
        waiting = waiting_lines(size=16, characters=300)
        waiting.submit("a", KIND, lines_of(*["x" * 100] * 20))
        waiting.submit("b", KIND._replace(n_best=3), lines_of("x" * 100))
        waiting.submit("c", KIND, lines_of("x" * 5_000))
        sizes = []
        while waiting.lines:
            batch = await waiting.take()
            assert {entry.job.kind for entry in batch.entries} == {batch.kind}
            sizes.append((len(batch.entries), batch.characters))
        assert (1, 5_000) in sizes
        assert all(characters <= 300 + 16 * 16 for size, characters in sizes if size > 1)

    asyncio.run(use())


def test_each_worker_has_a_share() -> None:
    async def use() -> None:
        waiting = waiting_lines(size=64, workers=2)
        waiting.submit("a", KIND, lines_of(*["line"] * 64))
        first, second = await waiting.take(), await waiting.take()
        assert len(first.entries) == len(second.entries) == 32
        waiting.returned(first, 1.0)
        waiting.submit("b", KIND, lines_of(*["line"] * 3))
        assert len((await waiting.take()).entries) == 3
        assert SMALLEST_SHARE > 3

    asyncio.run(use())


def test_a_patient_worker_waits_for_the_lines_that_come_in_a_moment() -> None:
    async def use() -> None:
        waiting = waiting_lines()
        taking = asyncio.create_task(waiting.take(patience=5.0))
        await asyncio.sleep(0)
        for number in range(3):
            waiting.submit(str(number), KIND, lines_of("line"))
            await asyncio.sleep(0)
        assert len((await taking).entries) == 3

    asyncio.run(use())


def test_a_worker_that_gives_up_wakes_another() -> None:
    async def use() -> None:
        waiting = waiting_lines()
        first = asyncio.create_task(waiting.take())
        second = asyncio.create_task(waiting.take())
        await asyncio.sleep(0)
        waiting.submit("a", KIND, lines_of("line"))
        first.cancel()
        assert len((await asyncio.wait_for(second, 5)).entries) == 1
        await asyncio.wait([first])
        assert first.cancelled()

    asyncio.run(use())


def test_lines_of_a_job_that_is_dropped_are_not_translated() -> None:
    async def use() -> None:
        waiting = waiting_lines()
        gone = waiting.submit("a", KIND, lines_of("one", "two"))
        waiting.submit("b", KIND, lines_of("three"))
        waiting.drop(gone)
        waiting.drop(gone)
        assert names(await waiting.take()) == ["b"]
        assert (waiting.lines, waiting.characters) == (0, 0)

    asyncio.run(use())


def test_more_than_the_limit_may_not_wait_but_one_request_always_may() -> None:
    async def use() -> None:
        waiting = waiting_lines(limit=100)
        waiting.submit("a", KIND, lines_of("x" * 500))
        with pytest.raises(RequestError) as caught:
            waiting.submit("b", KIND, lines_of("x"))
        assert caught.value.status == 503
        assert int(caught.value.headers()["retry-after"]) >= 1
        assert waiting.lines == 1

    asyncio.run(use())
