"""Fetching a file over HTTP: resumed where it was cut, and kept only if its checksum is right."""

from __future__ import annotations

import http.client
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from nmt_lstm.errors import DataError, ResourceError
from nmt_lstm.files.checksums import sha256_of
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import read_regular

__all__ = ["fetch"]

log = logging.getLogger(__name__)
Progress = Callable[[int, int | None], None]
BLOCK = 1 << 18
TIMEOUT_SECONDS = 30.0


class _CutError(Exception):
    """The transfer broke off; what came may be gone on with."""


def fetch(
    url: str,
    destination: Path,
    sha256: str | None = None,
    *,
    attempts: int = 4,
    wait_seconds: float = 2.0,
    on_progress: Progress | None = None,
) -> None:
    """Fetch `url` into the file `destination`, which appears only when whole and right.

    What came before a cut stays in ``DESTINATION.part``, and the next call goes on from there. A file there already
    is kept if its checksum is right, or if none is given.

    Args:
        url: http or https.
        destination: the file to make; its folder is made as well.
        sha256: hexadecimal checksum that the file must have; None takes what comes.
        attempts: how often a broken transfer is taken up again.
        wait_seconds: pause after the first broken attempt; each later one is as much longer.
        on_progress: told the bytes that are there and, where the server says so, how many there will be.

    Raises:
        DataError: the address cannot be fetched, the transfer keeps breaking off, or the checksum is another.
        ResourceError: the file cannot be written.
    """
    if not url.startswith(("http://", "https://")):
        raise DataError(f"Cannot fetch '{url}': only http:// and https:// addresses can be.")
    wanted = sha256.lower() if sha256 else None
    part = destination.with_name(destination.name + ".part")
    try:
        if destination.is_file() and (wanted is None or sha256_of(destination) == wanted):
            return
        destination.parent.mkdir(parents=True, exist_ok=True)
        resumed = _fetch_part(url, part, attempts, wait_seconds, on_progress)
        if wanted is not None and resumed and sha256_of(part) != wanted:
            log.warning(
                "What was there of '%s' was of another file; fetching it from its beginning.", destination
            )
            _forget(part)
            _fetch_part(url, part, attempts, wait_seconds, on_progress)
        if wanted is not None and (found := sha256_of(part)) != wanted:
            _forget(part)
            raise DataError(
                f"What came from {url} is not the file expected: its sha256 is {found}, not {wanted}. "
                "It was removed. The file may have changed there; get it elsewhere."
            )
        part.replace(destination)
        _forget(part)
    except OSError as error:
        raise ResourceError(f"Cannot write '{destination}': {error.strerror or error}.") from None


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _origin_of(part).unlink(missing_ok=True)


def _origin_of(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _fetch_part(
    url: str, part: Path, attempts: int, wait_seconds: float, on_progress: Progress | None
) -> bool:
    """Fetch the whole into `part`; return whether some of it was there before."""
    resumed = part.exists()
    for attempt in range(1, attempts + 1):
        try:
            _transfer(url, part, on_progress)
            return resumed
        except _CutError as cut:
            if attempt == attempts:
                have = part.stat().st_size if part.exists() else 0
                raise DataError(
                    f"Cannot fetch {url}: {cut} ({have:,} bytes are there). Start the command again to resume from "
                    "there, or get the file elsewhere."
                ) from None
            log.warning("Fetching %s: %s; trying again.", url, cut)
            time.sleep(wait_seconds * attempt)
    raise AssertionError("unreachable: attempts is at least 1")


def _transfer(url: str, part: Path, on_progress: Progress | None) -> None:
    """Fetch what is missing of `part` in one request."""
    start, validator = _state(url, part)
    request = urllib.request.Request(url, headers={"User-Agent": "nmt-lstm"})  # noqa: S310 - checked in fetch
    if start:
        # Without If-Range, a file that has changed would be glued to the beginning of the old one.
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", validator)
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310 - checked in fetch
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            _forget(part)
            raise _CutError("the server's file is shorter than what was there") from None
        if error.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _CutError(f"the server answers {error.code} {error.reason}") from None
        raise DataError(f"Cannot fetch {url}: the server answers {error.code} {error.reason}.") from None
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise _CutError(f"no connection ({reason})") from None
    with answer:
        goes_on = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        if not goes_on:
            start = 0
        _keep_origin(url, part, answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "")
        size = answer.headers.get("Content-Length")
        total = start + int(size) if size is not None else None
        with part.open("ab" if goes_on else "wb") as file:
            _copy(answer, file, start, total, on_progress)


def _copy(
    answer: http.client.HTTPResponse,
    file: BinaryIO,
    start: int,
    total: int | None,
    on_progress: Progress | None,
) -> None:
    have = start
    while True:
        try:
            block = answer.read(BLOCK)
        except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
            raise _CutError(f"the transfer broke off ({error})") from None
        if not block:
            break
        file.write(block)
        have += len(block)
        if on_progress is not None:
            on_progress(have, total)
    if total is not None and have < total:
        raise _CutError(f"the transfer broke off after {have:,} of {total:,} bytes")


def _state(url: str, part: Path) -> tuple[int, str]:
    """Return how many bytes of `url` are there and what identifies its version; 0 where it cannot be gone on with."""
    try:
        origin = parse_json(read_regular(_origin_of(part)))
        if origin["url"] == url and origin["validator"]:
            return part.stat().st_size, str(origin["validator"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return 0, ""


def _keep_origin(url: str, part: Path, validator: str) -> None:
    # A weak tag promises only likeness, which is too little for gluing bytes together.
    kept = "" if validator.startswith("W/") else validator
    _origin_of(part).write_text(json.dumps({"url": url, "validator": kept}), "utf-8")
