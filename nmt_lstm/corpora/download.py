"""Downloading a file over HTTP: interrupted transfers are resumed, and the checksum is verified."""

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

logger = logging.getLogger(__name__)
Progress = Callable[[int, int | None], None]
BLOCK = 1 << 18
TIMEOUT_SECONDS = 30.0


class _InterruptedTransferError(Exception):
    """The transfer was interrupted; the partial file can be resumed."""


def fetch(
    url: str,
    destination: Path,
    sha256: str | None = None,
    *,
    attempts: int = 4,
    wait_seconds: float = 2.0,
    on_progress: Progress | None = None,
) -> None:
    """Download `url` to the file `destination`, which appears only when it is complete and correct.

    After an interruption, the next call resumes the partial file ``DESTINATION.part``. An existing file is kept if its
    checksum is correct, or if none is given.

    Args:
        url: an http or https address.
        destination: the file to create; missing folders are created as well.
        sha256: hexadecimal checksum that the file must have; None accepts any content.
        attempts: how often an interrupted transfer is tried.
        wait_seconds: pause after the first attempt; it grows by as much after each further attempt.
        on_progress: called with the bytes received and, if the server tells it, the total number of bytes.

    Raises:
        DataError: the address cannot be downloaded, the transfer is interrupted repeatedly, or the checksum is wrong.
        ResourceError: the file cannot be written.
    """
    if not url.startswith(("http://", "https://")):
        raise DataError(f"cannot download '{url}': only http:// and https:// addresses are supported.")
    expected = sha256.lower() if sha256 else None
    part = destination.with_name(destination.name + ".part")
    try:
        if destination.is_file() and (expected is None or sha256_of(destination) == expected):
            return
        destination.parent.mkdir(parents=True, exist_ok=True)
        resumed = _fetch_part(url, part, attempts, wait_seconds, on_progress)
        if expected is not None and resumed and sha256_of(part) != expected:
            logger.warning(
                "the partial file of '%s' belongs to a different file; downloading all of it again.",
                destination,
            )
            _remove_partial(part)
            _fetch_part(url, part, attempts, wait_seconds, on_progress)
        if expected is not None and (digest := sha256_of(part)) != expected:
            _remove_partial(part)
            raise DataError(
                f"the file from {url} is not the expected one: its SHA-256 is {digest}, not {expected}; it was removed. It may "
                "have been replaced by its publisher; get the original elsewhere."
            )
        part.replace(destination)
        _remove_partial(part)
    except OSError as error:
        raise ResourceError(f"cannot write '{destination}': {error.strerror or error}.") from None


def _remove_partial(part: Path) -> None:
    part.unlink(missing_ok=True)
    _origin_of(part).unlink(missing_ok=True)


def _origin_of(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _fetch_part(
    url: str, part: Path, attempts: int, wait_seconds: float, on_progress: Progress | None
) -> bool:
    """Download the complete file to `part`; return whether a partial file was resumed."""
    resumed = part.exists()
    for attempt in range(1, attempts + 1):
        try:
            _transfer(url, part, on_progress)
            return resumed
        except _InterruptedTransferError as error:
            if attempt == attempts:
                received = part.stat().st_size if part.exists() else 0
                raise DataError(
                    f"cannot download {url}: {error} ({received:,} bytes are saved). Rerun the command to resume, or get the "
                    "file elsewhere."
                ) from None
            logger.warning("downloading %s: %s; trying again.", url, error)
            time.sleep(wait_seconds * attempt)
    raise AssertionError("unreachable: attempts is at least 1")


def _transfer(url: str, part: Path, on_progress: Progress | None) -> None:
    """Download what is missing from `part` in one request."""
    start, validator = _resumable(url, part)
    request = urllib.request.Request(url, headers={"User-Agent": "nmt-lstm"})  # noqa: S310 - checked in fetch
    if start:
        # Without If-Range, the rest of a file that has changed would be appended to the beginning of the old one.
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", validator)
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310 - checked in fetch
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            _remove_partial(part)
            raise _InterruptedTransferError("the server's file is shorter than the partial file") from None
        if error.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _InterruptedTransferError(f"the server responded {error.code} {error.reason}") from None
        raise DataError(f"cannot download {url}: the server responded {error.code} {error.reason}.") from None
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise _InterruptedTransferError(f"no connection ({reason})") from None
    with response:
        is_resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if not is_resumed:
            start = 0
        _save_origin(url, part, response.headers.get("ETag") or response.headers.get("Last-Modified") or "")
        size = response.headers.get("Content-Length")
        total = start + int(size) if size is not None else None
        with part.open("ab" if is_resumed else "wb") as file:
            _copy(response, file, start, total, on_progress)


def _copy(
    response: http.client.HTTPResponse,
    file: BinaryIO,
    start: int,
    total: int | None,
    on_progress: Progress | None,
) -> None:
    received = start
    while True:
        try:
            block = response.read(BLOCK)
        except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
            raise _InterruptedTransferError(f"the transfer was interrupted ({error})") from None
        if not block:
            break
        file.write(block)
        received += len(block)
        if on_progress is not None:
            on_progress(received, total)
    if total is not None and received < total:
        raise _InterruptedTransferError(f"the transfer was interrupted after {received:,} of {total:,} bytes")


def _resumable(url: str, part: Path) -> tuple[int, str]:
    """Return how many bytes of `url` have been saved, and what identifies its version; 0 if they cannot be resumed."""
    try:
        origin = parse_json(read_regular(_origin_of(part)))
        if origin["url"] == url and origin["validator"]:
            return part.stat().st_size, str(origin["validator"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return 0, ""


def _save_origin(url: str, part: Path, validator: str) -> None:
    # A weak tag does not guarantee identical bytes, which resuming requires.
    strong = "" if validator.startswith("W/") else validator
    _origin_of(part).write_text(json.dumps({"url": url, "validator": strong}), "utf-8")
