"""The parameters of a request: from JSON, a form or the query string, of limited size and in limited time."""

from __future__ import annotations

import asyncio
import contextlib
import email.parser
import email.policy
import json
import re
from collections.abc import Mapping, Sequence
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from nmt_lstm.server.problems import RequestError, client_gone, missing_parameter, too_large
from nmt_lstm.server.settings import Limits

__all__ = ["Values", "read_body", "read_json", "read_values"]

MAX_FIELDS = 100
"""Of a form, beside a list of texts."""
REPEATED = frozenset({"q"})
"""Fields of forms that are a list if there are several: as libretranslate-aio sends it."""
JSON_HINT = '; JSON needs the header "Content-Type: application/json"'
DISCARDED, SECONDS_TO_DISCARD = 8, 1.0
"""Of a body that is too large: so many times the limit is read to no purpose, for so long."""
_SURROGATES = re.compile("[\ud800-\udfff]")


class Values:
    """Parameters by name.

    Args:
        values: of any type of JSON; of a form and a query string, strings, and lists of them.
        is_json: whether they come from JSON.
        hint: what may be the reason if a parameter is missing.
    """

    def __init__(self, values: Mapping[str, Any], *, is_json: bool, hint: str = "") -> None:
        self._values = values
        self._hint = hint
        self.is_json = is_json

    def text(self, name: str) -> str:
        """Return a string; empty if it is missing.

        Raises:
            RequestError: it is not a string.
        """
        value = self._values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise RequestError(400, f"Invalid request: {name} parameter is not a string")
        return without_surrogates(value)

    def required(self, name: str) -> str:
        """Return a string that must not be missing or empty."""
        text = self.text(name)
        if not text:
            raise missing_parameter(name, self._hint)
        return text

    def texts(self, name: str) -> str | list[str]:
        """Return a string, or a list of strings, which must not be missing or empty."""
        value = self._values.get(name)
        if not isinstance(value, list):
            return self.required(name)
        if not value:
            raise missing_parameter(name)
        if not all(isinstance(text, str) for text in value):
            raise RequestError(400, f"Invalid request: {name} parameter is not a string or a list of strings")
        return [without_surrogates(text) for text in value]

    def strings_by_name(self, name: str) -> dict[str, str]:
        """Return an object whose values are strings; empty if it is missing."""
        value = self._values.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise RequestError(400, f"Invalid request: {name} parameter is not an object of strings")
        return {without_surrogates(key): without_surrogates(each) for key, each in value.items()}

    def number(self, name: str) -> int:
        """Return a whole number that is not negative; 0 if it is missing."""
        value = self._values.get(name)
        if value is None or value == "":
            return 0
        number = None
        if isinstance(value, (str, int, float)):
            with contextlib.suppress(ValueError, OverflowError):
                number = int(value)
        if number is None:
            raise RequestError(400, f"Invalid request: {name} parameter is not a number")
        if number < 0:
            raise RequestError(400, f"Invalid request: {name} parameter must be >= 0")
        return number


def without_surrogates(text: str) -> str:
    """Return a text in which what no encoding can write is replaced."""
    return _SURROGATES.sub("\ufffd", text)


async def read_body(request: Request, limits: Limits) -> bytes:
    """Return the body of a request.

    Raises:
        RequestError: it is too large, or does not arrive in time.
    """
    length = request.headers.get("content-length", "")
    is_too_large = length.isdecimal() and int(length) > limits.body_bytes
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.reading_seconds):
            while not is_too_large:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise client_gone()
                chunk = message.get("body", b"")
                size += len(chunk)
                is_too_large = size > limits.body_bytes
                chunks.append(chunk)
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        raise RequestError(
            408, f"The request did not arrive within {limits.reading_seconds:g} seconds"
        ) from None
    if is_too_large:
        if "expect" not in request.headers:
            await _discard(request, limits)
        raise too_large(limits.body_bytes)
    return b"".join(chunks)


async def _discard(request: Request, limits: Limits) -> None:
    """Read some more: of a connection that is closed with unread bytes, the client would not see the reply."""
    left = DISCARDED * limits.body_bytes
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SECONDS_TO_DISCARD):
            while left > 0:
                message = await request.receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


async def read_json(request: Request, limits: Limits) -> Any:
    """Return the body of a request, read as JSON whatever its type says.

    Raises:
        RequestError: see `read_body`; or it is not JSON.
    """
    return _parsed_json(await read_body(request, limits))


async def read_values(request: Request, limits: Limits) -> Values:
    """Return the parameters of a request.

    Those of the query string come before those of a form; where there is JSON, only that counts.

    Raises:
        RequestError: see `read_body`; or the body is not what its type says.
    """
    body = await read_body(request, limits)
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        values = _parsed_json(body)
        if not isinstance(values, dict):
            raise RequestError(400, "Invalid JSON format")
        return Values(values, is_json=True)
    hint = JSON_HINT if kind != "multipart/form-data" and _is_json_object(body) else ""
    try:
        form = _form(kind, content_type, body, MAX_FIELDS + limits.texts)
    except ValueError:
        raise RequestError(400, f"Invalid request: the form cannot be read{hint}") from None
    fields: dict[str, str | list[str]] = {}
    for source in (request.query_params.multi_items(), form):
        for name, value in _by_name(source).items():
            fields.setdefault(name, value)
    return Values(fields, is_json=False, hint=hint)


def _by_name(fields: Sequence[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Return the values of fields: the first of several, or all if they are a list."""
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return {
        name: several if name in REPEATED and len(several) > 1 else several[0]
        for name, several in values.items()
    }


def _is_json_object(body: bytes) -> bool:
    try:
        return body.lstrip().startswith(b"{") and isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _parsed_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError(400, "Invalid JSON format") from None


def _form(kind: str, content_type: str, body: bytes, most: int) -> list[tuple[str, str]]:
    """Return the fields of a form; raise ValueError if it cannot be read, or has more than `most`."""
    if kind == "application/x-www-form-urlencoded":
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=most)
    return _multipart(content_type, body, most) if kind == "multipart/form-data" else []


def _multipart(content_type: str, body: bytes, most: int) -> list[tuple[str, str]]:
    """Return the fields of a form in the format of RFC 7578, which is that of e-mail; files are left out."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    message = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(head + body)
    parts = message.get_payload()
    if not isinstance(parts, list) or len(parts) > most:
        raise ValueError("not a form")
    fields = []
    for part in parts:
        if not isinstance(part, Message):
            continue
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes) and part.get_filename() is None:
            fields.append((name, content.decode("utf-8")))
    return fields
