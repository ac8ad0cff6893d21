"""Parameters of requests, without a server."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.requests import Request

from nmt_lstm.server.problems import RequestError
from nmt_lstm.server.request_values import Values, read_body, read_values
from nmt_lstm.server.settings import Limits


def request(body: bytes = b"", kind: str = "", query: str = "", chunks: int = 1) -> Request:
    size = -(-len(body) // chunks) or 1
    parts = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    messages = [
        {"type": "http.request", "body": part, "more_body": number < len(parts) - 1}
        for number, part in enumerate(parts)
    ]

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    headers = [(b"content-type", kind.encode())] if kind else []
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": headers,
        "query_string": query.encode(),
    }
    return Request(scope, receive)


def values(*arguments, **options) -> Values:
    return asyncio.run(read_values(request(*arguments, **options), Limits()))


def problem(call) -> RequestError:
    with pytest.raises(RequestError) as caught:
        call()
    return caught.value


def test_the_query_comes_before_the_form_and_json_before_both() -> None:
    form = "application/x-www-form-urlencoded"
    assert values(b"q=b&source=%E3%81%82+c", form, "q=a").text("q") == "a"
    assert values(b"q=b&source=%E3%81%82+c", form).text("source") == "あ c"
    # As `curl -d` sends it.
    assert values("q=läuft ä%C3%A4+".encode(), form).text("q") == "läuft ää "
    found = values(json.dumps({"q": "c"}).encode(), "application/json; charset=utf-8", "q=a")
    assert (found.text("q"), found.is_json) == ("c", True)
    assert values(b'{"q": "c"}', "application/ld+json").text("q") == "c"
    assert values(b'{"q": "c"}', "text/plain", "q=a").text("q") == "a"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", "q=ä".encode("latin-1")),
        ("application/x-www-form-urlencoded", b"q=%ff"),
        ("application/x-www-form-urlencoded", b"&".join([b"q=b"] * 1200)),
        ("multipart/form-data", b"anything"),
        ("multipart/form-data; boundary=x", b"anything"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="q"\r\n\r\n\xff\r\n--x--',
        ),
    ],
)
def test_a_form_that_cannot_be_read_is_status_400(kind, body) -> None:
    assert problem(lambda: values(body, kind)).status == 400


def test_files_of_a_form_are_left_out() -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nfile\r\n'
        b'--x\r\nContent-Disposition: form-data; name="q"\r\n\r\na\r\nb\r\n--x--\r\n'
    )
    found = values(body, "multipart/form-data; boundary=x")
    assert (found.text("q"), found.text("f")) == ("a\r\nb", "")


@pytest.mark.parametrize(
    ("value", "number"),
    [(None, 0), ("", 0), ("3", 3), (3, 3), (2.9, 2), (True, 1)],
)
def test_numbers(value, number) -> None:
    assert Values({"n": value}, is_json=True).number("n") == number


@pytest.mark.parametrize("value", ["x", [1], {}, float("nan"), float("inf"), "9" * 5000])
def test_what_is_no_number_is_refused(value) -> None:
    assert "not a number" in problem(lambda: Values({"n": value}, is_json=True).number("n")).text


def test_a_body_is_read_up_to_its_limit() -> None:
    limits = Limits(body_bytes=10)
    assert asyncio.run(read_body(request(b"0123456789", chunks=4), limits)) == b"0123456789"
    assert problem(lambda: asyncio.run(read_body(request(b"0123456789A", chunks=4), limits))).status == 413


def test_surrogates_are_replaced() -> None:
    assert Values({"q": "a\ud800"}, is_json=True).text("q") == "a\ufffd"
    assert Values({"q": ["\udfff", "b"]}, is_json=True).texts("q") == ["\ufffd", "b"]


def test_a_repeated_text_of_a_form_is_a_list_and_of_other_fields_the_first_counts() -> None:
    form = "application/x-www-form-urlencoded"
    found = values(b"q=a&q=&q=b&source=en&source=de", form)
    assert (found.texts("q"), found.text("source")) == (["a", "", "b"], "en")
    assert values(b"&".join([b"q=b"] * 1000), form).texts("q") == ["b"] * 1000
    assert values(query="q=a&q=b").texts("q") == ["a", "b"]
    assert values(b"q=c", form, "q=a&q=b").texts("q") == ["a", "b"]
    part = 'Content-Disposition: form-data; name="q"'
    body = f"--x\r\n{part}\r\n\r\na\r\n--x\r\n{part}\r\n\r\nb\r\n--x--\r\n"
    assert values(body.encode(), "multipart/form-data; boundary=x").texts("q") == ["a", "b"]


@pytest.mark.parametrize("kind", ["", "application/x-www-form-urlencoded", "text/plain"])
@pytest.mark.parametrize("text", ["a", "a&q=%ff"])
def test_json_that_is_not_called_json_is_told_how(kind, text) -> None:
    body = json.dumps({"x": text}).encode()
    assert "Content-Type: application/json" in problem(lambda: values(body, kind).texts("q")).text
    assert "Content-Type" not in problem(lambda: values(b"{q}", kind).texts("q")).text


def test_negative_numbers_are_refused() -> None:
    assert ">= 0" in problem(lambda: Values({"n": -1}, is_json=True).number("n")).text
