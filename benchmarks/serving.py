"""A server under load: many clients at once, each of whose replies is compared with `translate`.

The clients send single sentences, one after the other, as fast as they are answered. Next to their rate stand those of
`translate --jobs` on the same lines and of a single client, and next to their latency those of an idle server and of
`translate --interactive`. Clients, server and workers share the cores.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from processes import nmt_lstm, resident_bytes, train
from report import Row
from text import find_text

MEBIBYTE = 2**20


class Load(NamedTuple):
    """What clients measured."""

    seconds: float
    latencies: list[float]
    """Of each request, in seconds."""
    wrong: int
    """Replies that are not the translation of what was sent."""
    memory: list[int]
    """Resident bytes of the server and its workers, once a second."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument(
        "-m", "--model", type=Path, metavar="FOLDER", help="model folder; by default one is trained"
    )
    parser.add_argument("--languages", default="de-en", metavar="PAIR", help="of the model, such as de-en")
    parser.add_argument("--clients", type=int, default=64, metavar="N")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="of load")


def measure(options: argparse.Namespace) -> list[Row]:
    """Return rates, latencies, wrong replies and memory."""
    text = find_text(options.text)
    seconds = 3.0 if options.quick else options.seconds
    cores = len(os.sched_getaffinity(0))
    source, target = options.languages.split("-")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = options.model
        if model is None:
            train(text, folder, steps=1)
            model = folder / "model"
        lines = text.test_source.read_text(encoding="utf-8").splitlines()[: 100 if options.quick else None]
        few = folder / "few"
        few.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        nmt_lstm("translate", "-m", model, "-i", few, "-o", folder / "translated")
        expected = (folder / "translated").read_text(encoding="utf-8").split("\n")[: len(lines)]
        jobs_rate = _jobs_rate(model, lines, folder, cores, copies=1 if options.quick else 8)
        with _server(f"{source}-{target}={model}") as (url, process):
            asked = [json.dumps({"q": line, "source": source, "target": target}).encode() for line in lines]
            pairs = list(zip(asked, expected, strict=True))
            warm = min(2.0, seconds)
            asyncio.run(_load(url, pairs, clients=cores, seconds=warm, process=process))
            interactive, request = _single_latencies(model, url, pairs[: 20 if options.quick else 200])
            alone = asyncio.run(_load(url, pairs, clients=1, seconds=min(20.0, seconds), process=process))
            loaded = asyncio.run(_load(url, pairs, clients=options.clients, seconds=seconds, process=process))
    rate, single = len(loaded.latencies) / loaded.seconds, len(alone.latencies) / alone.seconds
    idle = statistics.median(alone.latencies)
    ordered = sorted(loaded.latencies)
    slowest = ordered[int(0.99 * (len(ordered) - 1))]
    memory = loaded.memory
    middle = memory[len(memory) // 2] if memory else 0
    counted = f"{options.clients} clients for {seconds:g} s, {text.name}, {cores} cores"
    return [
        Row("server", rate, "sentences/s", counted),
        Row("  replies", float(len(ordered)), "replies", f"{loaded.wrong} of them wrong"),
        Row("  translate --jobs", jobs_rate, "sentences/s", f"{cores} jobs, without the time to start"),
        Row("  ratio", rate / jobs_rate, "x", "server / translate --jobs"),
        Row("  one client", single, "sentences/s", "one request after the other"),
        Row("  ratio", rate / single, "x", "server / one client"),
        Row("  latency, idle", 1e3 * idle, "ms", "median of one client"),
        Row("  latency, loaded", 1e3 * statistics.median(ordered), "ms", "median"),
        Row("  latency, loaded", 1e3 * slowest, "ms", "99th percentile"),
        Row("  ratio", slowest / idle, "x", "99th percentile, loaded / median, idle"),
        Row("  --interactive", 1e3 * interactive, "ms", "median of `translate --interactive`"),
        Row("  ratio", request / interactive, "x", "idle server / --interactive, line by line"),
        Row("  memory", memory[-1] / MEBIBYTE if memory else 0.0, "MiB", "resident at the end, all processes"),
        Row(
            "  growth", (memory[-1] / middle) if middle else 1.0, "x", "memory at the end / in the middle of the load"
        ),
    ]  # fmt: skip


def _jobs_rate(model: Path, lines: Sequence[str], folder: Path, cores: int, *, copies: int) -> float:
    """Return the sentences per second of ``translate --jobs``, without what a single line takes."""
    times = []
    for number, content in enumerate((lines[:1], list(lines) * copies)):
        file = folder / f"jobs-{number}"
        file.write_text("".join(f"{line}\n" for line in content), encoding="utf-8")
        cost = nmt_lstm("translate", "-m", model, "-i", file, "-o", folder / "out", "--jobs", str(cores))
        times.append(cost.wall_seconds)
    return (len(lines) * copies - 1) / max(times[1] - times[0], 1e-3)


def _single_latencies(model: Path, url: str, pairs: Sequence[tuple[bytes, str]]) -> tuple[float, float]:
    """Return the median seconds of a line in ``translate --interactive`` and of a request.

    They take turns: on a machine that does other work too, both are slowed down alike.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "nmt_lstm", "translate", "-m", str(model), "--interactive"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    lines, requests = [], []
    for body, _ in pairs:
        begin = time.perf_counter()
        process.stdin.write(json.loads(body)["q"].encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        middle = time.perf_counter()
        connection.request("POST", "/translate", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
        lines.append(middle - begin)
        requests.append(time.perf_counter() - middle)
    process.communicate()
    warm = len(lines) // 10  # the first line waits until the model is loaded
    return statistics.median(lines[warm:]), statistics.median(requests[warm:])


@contextmanager
def _server(model: str) -> Iterator[tuple[str, int]]:
    """Run a server; yield its address, and the id of its first process."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "nmt_lstm", "serve", "-m", model, "--port", "0"),
            *("--access-log", "none", "--whole-lines"),
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    messages = []
    for line in process.stderr:
        messages.append(line)
        if line.startswith("Serving "):
            break
    else:
        raise SystemExit(f"nmt-lstm serve -m {model} failed:\n{''.join(messages)}")
    try:
        address = next(word for word in line.split() if word.startswith("http"))
        yield address, process.pid
    finally:
        process.terminate()
        process.communicate()


async def _load(
    url: str, pairs: Sequence[tuple[bytes, str]], *, clients: int, seconds: float, process: int
) -> Load:
    """Send the requests of `pairs` for some seconds, and compare the replies with their second parts."""
    latencies: list[float] = []
    memory: list[int] = []
    wrong = 0
    begin = time.perf_counter()
    end = begin + seconds

    async def client(number: int) -> None:
        nonlocal wrong
        order = random.Random(number).sample(pairs, len(pairs))
        host, port = urlsplit(url).hostname, urlsplit(url).port
        reader, writer = await asyncio.open_connection(host, port)
        for body, expected in itertools.cycle(order):
            if time.perf_counter() > end:
                break
            start = time.perf_counter()
            head = f"POST /translate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            status = await reader.readline()
            size = 0
            while (header := await reader.readline()) not in (b"\r\n", b""):
                name, _, value = header.partition(b":")
                size = int(value) if name.lower() == b"content-length" else size
            reply = json.loads(await reader.readexactly(size))
            latencies.append(time.perf_counter() - start)
            wrong += b" 200 " not in status or reply.get("translatedText") != expected
        writer.close()

    async def watch() -> None:
        while True:
            memory.append(resident_bytes(process))
            await asyncio.sleep(1.0)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(client(number) for number in range(clients)))
    watching.cancel()
    return Load(time.perf_counter() - begin, latencies, wrong, memory)
