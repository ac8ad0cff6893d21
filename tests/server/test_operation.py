"""A server in operation: load, its end, changed models, workers that die, and what it says about itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import URLError

import pytest

from nmt_lstm.corpora.builtin import builtin_corpus_folder

from .conftest import SECONDS, Reply, ServerProcess

pytestmark = pytest.mark.slow


def until(condition, seconds: float = SECONDS) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def sentences(count: int) -> list[str]:
    return (builtin_corpus_folder() / "test.en").read_text("utf-8").splitlines()[:count]


@pytest.fixture(scope="module")
def alone(server) -> dict[str, str]:
    """The translation of each sentence, asked for one by one."""
    return {
        line: server.post_json("/translate", {"q": line, "source": "en", "target": "ja"}).value[
            "translatedText"
        ]
        for line in sentences(40)
    }


def test_each_client_gets_the_same_words_under_any_load(server, alone) -> None:
    def ask(number: int) -> list[tuple[str, str]]:
        found = []
        for line in sentences(40)[number % 7 :: 5]:
            body = {"q": line, "source": "en", "target": "ja"}
            if number % 3 == 1:
                body["alternatives"] = 2
            if number % 3 == 2:
                body["q"] = [line, "Tom is tall."]
            translated = server.post_json("/translate", body).value["translatedText"]
            found.append((line, translated if isinstance(translated, str) else translated[0]))
        return found

    with ThreadPoolExecutor(16) as pool:
        for pairs in pool.map(ask, range(16)):
            assert all(alone[line] == translation for line, translation in pairs)
    batches = dict(
        re.findall(r'nmt_lstm_batch_lines_bucket\{le="(\w+|\+Inf)"\} (\d+)', server.get("/metrics").value)
    )
    assert int(batches["+Inf"]) > int(
        batches["1"]
    )  # some lines of different clients were translated together


@pytest.fixture(scope="module")
def disposable(tmp_path_factory) -> Iterator[tuple[ServerProcess, Path]]:
    """A server for tests that change its model, kill its worker, and end it, in the order of this file."""
    folder = tmp_path_factory.mktemp("models") / "model"
    shutil.copytree(builtin_corpus_folder() / "model", folder)
    server = ServerProcess("-m", str(folder), "--workers", "1")
    yield server, folder
    server.process.kill()
    server.process.wait()


def test_a_changed_model_is_loaded_and_no_request_is_lost(alone, disposable) -> None:
    server, folder = disposable
    statuses, stopped = [], threading.Event()

    def ask() -> None:
        while not stopped.is_set():
            for line in list(alone)[:5]:
                reply = server.post_json("/translate", {"q": line, "source": "en", "target": "ja"})
                statuses.append((reply.status, reply.value.get("translatedText") == alone[line]))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        # What is damaged changes nothing.
        manifest = (folder / "manifest.json").read_text("utf-8")
        (folder / "manifest.json").write_text(manifest[:-20], encoding="utf-8")
        until(lambda: any("stay as they were" in line for line in server.messages))
        (folder / "manifest.json").write_text(manifest, encoding="utf-8")
        until(lambda: any("the new model is used" in line for line in server.messages))
    finally:
        stopped.set()
        thread.join(SECONDS)
    assert set(statuses) == {(200, True)}
    metrics = server.get("/metrics").value
    assert 'nmt_lstm_reloads_total{outcome="failed"} 1' in metrics
    assert 'nmt_lstm_reloads_total{outcome="done"} 1' in metrics


def children(process: int) -> list[int]:
    """Return the processes whose parent is this one, and that are Python's."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            command = (status.parent / "cmdline").read_text()
        except OSError:
            continue
        if int(fields[1]) == process and "spawn_main" in command:
            found.append(int(status.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_worker_that_dies_is_replaced(alone, disposable) -> None:
    server, _ = disposable
    (worker,) = children(server.process.pid)
    os.kill(worker, signal.SIGKILL)
    line = next(iter(alone))
    # The line waits for the new worker.
    reply = server.post_json("/translate", {"q": [line, "Tom is tall."], "source": "en", "target": "ja"})
    assert reply.value["translatedText"][0] == alone[line]
    assert "nmt_lstm_worker_deaths_total 1" in server.get("/metrics").value


def test_requests_that_run_are_finished_after_sigterm(alone, disposable) -> None:
    server, _ = disposable
    lines = list(alone)
    outcomes: list[tuple[str, Reply | str]] = []

    def ask(number: int) -> None:
        for line in lines[number:] + lines[:number]:
            body = {"q": line, "source": "en", "target": "ja"}
            try:
                outcomes.append((line, server.post_json("/translate", body)))
            except (URLError, ConnectionError) as problem:
                # Only a connection that was never accepted may fail.
                refused = "refused" in str(problem)
                outcomes.append((line, "refused" if refused else f"lost: {problem!r}"))
                return

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    until(lambda: len(outcomes) > 20)
    workers = children(server.process.pid)
    assert server.stop() == 0
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    for thread in threads:
        thread.join(SECONDS)
    answered = [(line, reply) for line, reply in outcomes if isinstance(reply, Reply)]
    assert {reply for _, reply in outcomes if not isinstance(reply, Reply)} <= {"refused"}
    assert all(
        reply.status == 200 and reply.value["translatedText"] == alone[line] for line, reply in answered
    )


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    from nmt_lstm.server.keys import KeyFile

    path = tmp_path_factory.mktemp("keys") / "keys.toml"
    file = KeyFile(path)
    return path, {
        "free": file.add("free"),
        "slow": file.add("slow", rate=3),
        "short": file.add("short", characters=5),
    }


@pytest.fixture(scope="module")
def limited(keys, tmp_path_factory):
    log = tmp_path_factory.mktemp("log") / "access.jsonl"
    arguments = ["--keys", str(keys[0]), "--workers", "1", "--access-log", str(log), "--body-limit", "1000"]
    other = tmp_path_factory.mktemp("models") / "other"
    shutil.copytree(builtin_corpus_folder() / "model", other)
    server = ServerProcess(
        "-m",
        "builtin:en-ja",
        "-m",
        f"de-ja={other}",
        *arguments,
        "--batch-limit",
        "5",
        "--alternatives-limit",
        "1",
        "--queue-limit",
        "600",
    )
    yield server, log
    server.stop()


BASE = {"q": "Tom is tall.", "source": "en", "target": "ja"}


def test_keys_decide(limited, keys) -> None:
    server, _ = limited
    path, secrets = keys
    assert server.post_json("/translate", BASE).status == 400
    assert "API key" in server.post_form("/detect", q="Tom").value["error"]
    wrong = server.post_json("/translate", {**BASE, "api_key": "nmt-wrong"})
    assert (wrong.status, wrong.value) == (403, {"error": "Invalid API key"})
    assert server.post_json("/translate", {**BASE, "api_key": secrets["free"]}).status == 200
    assert server.post_json("/translate", BASE, Authorization=f"Bearer {secrets['free']}").status == 200
    assert server.post_json("/translate", {**BASE, "api_key": secrets["short"]}).status == 400
    assert server.get("/frontend/settings").value["keyRequired"] is True
    assert secrets["free"] not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_a_rate_is_that_of_a_key(limited, keys) -> None:
    server, _ = limited
    replies = [server.post_json("/translate", {**BASE, "api_key": keys[1]["slow"]}) for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429]
    assert replies[-1].value == {"error": "Slowdown: 3 per 1 minute"}
    assert 1 <= int(replies[-1].headers["retry-after"]) <= 20
    assert server.post_json("/translate", {**BASE, "api_key": keys[1]["free"]}).status == 200


def test_a_new_key_works_at_once_and_a_removed_one_no_more(limited, keys) -> None:
    from nmt_lstm.server.keys import KeyFile

    server, _ = limited
    file = KeyFile(keys[0])
    key = file.add("late")
    until(lambda: server.post_json("/translate", {**BASE, "api_key": key}).status == 200, 10)
    file.remove("late")
    until(lambda: server.post_json("/translate", {**BASE, "api_key": key}).status == 403, 10)


def test_limits(limited, keys) -> None:
    server, _ = limited
    request = {**BASE, "api_key": keys[1]["free"]}
    reply = server.post_json("/translate", {**request, "q": ["a"] * 6})
    assert (reply.status, reply.value) == (
        400,
        {"error": "Invalid request: request (6) exceeds text limit (5)"},
    )
    assert server.post_json("/translate", {**request, "q": "a" * 2000}).status == 413
    assert server.post_json("/translate", {**request, "alternatives": 2}).status == 400
    assert server.post_json("/translate", {**request, "alternatives": 1}).status == 200


def test_a_list_in_several_languages_is_translated_by_several_models(limited, keys) -> None:
    server, log = limited
    english, german = "Tom is tall, and so is the boy.", "Das Haus ist sehr groß und alt."
    request = {**BASE, "api_key": keys[1]["free"]}
    single = [
        server.post_json("/translate", {**request, "source": code, "q": text}).value["translatedText"]
        for code, text in (("en", english), ("de", german))
    ]
    reply = server.post_json("/translate", {**request, "source": "auto", "q": [english, german, english]})
    assert [each["language"] for each in reply.value["detectedLanguage"]] == ["en", "de", "en"]
    assert reply.value["translatedText"] == [*single, single[0]]
    until(lambda: '"source": "en,de"' in log.read_text())


def test_the_access_log_has_facts_and_no_texts(limited, keys) -> None:
    server, log = limited
    for key in (*[keys[1]["slow"]] * 4, "nmt-wrong"):
        server.post_json("/translate", {**BASE, "api_key": key})
    server.post_json("/translate", {**BASE, "q": "Tom is very tall.", "api_key": keys[1]["free"]})
    until(lambda: '"key": "free"' in log.read_text())
    text = log.read_text()
    entries = [json.loads(line) for line in text.splitlines()]
    entry = next(entry for entry in entries if entry.get("key") == "free" and entry["status"] == 200)
    assert entry["path"] == "/translate"
    assert (entry["source"], entry["target"]) == ("en", "ja")
    assert entry["seconds"] > 0
    # Who is refused, too, and how much was asked.
    fast = next(entry for entry in entries if entry["status"] == 429)
    assert (fast["key"], fast["texts"], fast["characters"]) == ("slow", 1, len(BASE["q"]))
    wrong = next(entry for entry in entries if entry["status"] == 403)
    assert (wrong.get("key"), wrong["texts"]) == (None, 1)
    assert "tall" not in text
    assert keys[1]["free"] not in text


def test_too_much_at_once_is_refused_for_a_while(limited, keys) -> None:
    server, _ = limited
    request = {**BASE, "api_key": keys[1]["free"]}
    texts = [" ".join(sentences(8))] * 8

    def ask(text: str) -> Reply:
        return server.post_json("/translate", {**request, "q": text})

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(ask, texts))
    assert {reply.status for reply in replies} <= {200, 503}
    refused = [reply for reply in replies if reply.status == 503]
    assert refused
    assert all(int(reply.headers["retry-after"]) >= 1 and "error" in reply.value for reply in refused)
    assert server.post_json("/translate", request).status == 200


def test_figures(server) -> None:
    server.post_json("/translate", BASE)
    server.get("/some/path/of/nobody")
    reply = server.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    names = {line.split()[2] for line in reply.value.splitlines() if line.startswith("# TYPE")}
    assert {"nmt_lstm_requests_total", "nmt_lstm_stage_seconds", "nmt_lstm_waiting_lines"} <= names
    assert 'nmt_lstm_requests_total{path="/translate",status="200"}' in reply.value
    assert "nobody" not in reply.value
    assert 'nmt_lstm_stage_seconds_count{stage="translate"}' in reply.value
