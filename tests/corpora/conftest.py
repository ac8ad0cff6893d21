"""A web server on this machine, whose answers a test controls."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class Site:
    """The files of the server, its behaviour, and the requests it received."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Path and range ("" for the complete file) of each request."""
    interruptions: list[int] = field(default_factory=list)
    """Number of bytes after which each of the next responses is interrupted."""
    failures: list[int] = field(default_factory=list)
    """Status of each of the next responses, before any file is sent."""
    tag: str = '"1"'
    supports_ranges: bool = True
    sends_length: bool = True

    def url(self, name: str) -> str:
        """The address of a file."""
        return f"{self.address}/{name}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the files of a site."""

    site: Site

    def do_GET(self) -> None:
        site = self.site
        requested = self.headers.get("Range", "")
        site.requests.append((self.path.lstrip("/"), requested))
        if site.failures:
            self.send_error(site.failures.pop(0))
            return
        content = site.files.get(self.path.lstrip("/"))
        if content is None:
            self.send_error(404)
            return
        start = 0
        if requested and site.supports_ranges and self.headers.get("If-Range") == site.tag:
            start = int(requested.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        if site.tag:
            self.send_header("ETag", site.tag)
        if site.sends_length:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        self.wfile.write(body[: site.interruptions.pop(0)] if site.interruptions else body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def site() -> Iterator[Site]:
    """A running server."""
    site = Site()
    handler = type("SiteHandler", (Handler,), {"site": site})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        site.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield site
        server.shutdown()
        thread.join()
