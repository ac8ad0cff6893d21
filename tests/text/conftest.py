"""Made-up parallel text that a test may change, and a web server of this machine alone."""

from __future__ import annotations

import http.server
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nmt_lstm.config.load import make_run
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.text.preparation import Prepared
from nmt_lstm.text.token_store import TokenStore


@dataclass
class Site:
    """What the server has, how it behaves, and what it was asked for."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Path and asked range ("" for the whole) of each request."""
    cuts: list[int] = field(default_factory=list)
    """After how many bytes of the body each of the next answers breaks off."""
    failures: list[int] = field(default_factory=list)
    """Status of each of the next answers, before any file is given."""
    tag: str = '"1"'
    knows_ranges: bool = True
    says_length: bool = True

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


class Handler(http.server.BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site = self.site
        wanted = self.headers.get("Range", "")
        site.requests.append((self.path.lstrip("/"), wanted))
        if site.failures:
            self.send_error(site.failures.pop(0))
            return
        content = site.files.get(self.path.lstrip("/"))
        if content is None:
            self.send_error(404)
            return
        start = 0
        if wanted and site.knows_ranges and self.headers.get("If-Range") == site.tag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        if site.tag:
            self.send_header("ETag", site.tag)
        if site.says_length:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        self.wfile.write(body[: site.cuts.pop(0)] if site.cuts else body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[Site]:
    found = Site()
    handler = type("SiteHandler", (Handler,), {"site": found})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        found.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


SYLLABLES = ("ka", "mi", "to", "ru", "sen", "da", "lo", "wi", "ba", "ne")


def sentences(count: int, seed: int) -> list[str]:
    """Sentences of made-up words; those of another seed have as many words in each line."""
    lengths, words, draw = random.Random(0), random.Random(1), random.Random(seed)
    known = ["".join(words.choices(SYLLABLES, k=3)) for _ in range(40)]
    return [" ".join(draw.choices(known, k=lengths.randint(2, 8))) for _ in range(count)]


class MadeUpText:
    """Four files of made-up text that a test may change, and runs on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for seed, (name, count) in enumerate((("train", 120), ("valid", 10))):
            self.write(f"{name}.a", sentences(count, seed))
            self.write(f"{name}.b", [line.upper() for line in sentences(count, seed + 10)])

    def write(self, name: str, lines: list[str]) -> None:
        (self.folder / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")

    def lines(self, name: str) -> list[str]:
        return (self.folder / name).read_text(encoding="utf-8").split("\n")[:-1]

    def run(self, *overrides: str) -> RunSettings:
        values = {
            "data": {
                "train_source": "train.a",
                "train_target": "train.b",
                "valid_source": "valid.a",
                "valid_target": "valid.b",
            },
            "subwords": {"kind": "bpe", "vocabulary_size": 310},
        }
        return make_run(values, overrides, folder=self.folder)

    def prepared_folders(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "prepared").iterdir())

    @staticmethod
    def decoded(prepared: Prepared, store: TokenStore | None = None) -> list[tuple[str, str]]:
        """The text of prepared pieces."""
        store = store or prepared.train
        source, target = prepared.subwords.source.decode, prepared.subwords.target.decode
        return [(source(store.source[index]), target(store.target[index])) for index in range(len(store))]

    def pairs(self) -> list[tuple[str, str]]:
        """The training text."""
        return list(zip(self.lines("train.a"), self.lines("train.b"), strict=True))


@pytest.fixture
def written(tmp_path: Path) -> MadeUpText:
    return MadeUpText(tmp_path)
