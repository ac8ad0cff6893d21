"""Connections of slow, silent and careless clients, and websockets."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from .conftest import SECONDS, ServerProcess

TALL = "トムは背が高い。"


def opened(server: ServerProcess) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((address.hostname, address.port), timeout=SECONDS)


def received(connection: socket.socket) -> bytes:
    """Return everything until the server closes the connection."""
    content = b""
    try:
        while chunk := connection.recv(65_536):
            content += chunk
    except ConnectionResetError:
        pass
    return content


@pytest.fixture(scope="module")
def narrow():
    """A server for few connections, which does not wait long for requests."""
    server = ServerProcess(
        *("-m", "builtin:en-ja", "--workers", "1", "--connections", "4", "--read-limit", "1"),
        *("--access-log", "none", "--body-limit", "1000"),
    )
    yield server
    assert server.stop() == 0


def test_a_head_that_does_not_end_is_cut_off(narrow) -> None:
    for sent in (
        b"",
        b"POST /translate HTTP/1.1\r\nHost: a\r\nX-",
        b"GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET",
    ):
        with opened(narrow) as connection:
            connection.sendall(sent)
            content = received(connection)
        assert content.startswith(b"HTTP/1.1 200") is (b"health" in sent)


def test_a_body_that_does_not_end_is_status_408(narrow) -> None:
    with opened(narrow) as connection:
        connection.sendall(b"POST /translate HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
        assert received(connection).startswith(b"HTTP/1.1 408")


def test_a_body_that_is_too_large_is_not_read(narrow) -> None:
    with opened(narrow) as connection:
        connection.sendall(b"POST /translate HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n")
        assert received(connection).startswith(b"HTTP/1.1 413")
    with opened(narrow) as connection:
        connection.sendall(b"POST /translate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"1000\r\n" + b"a" * 4096 + b"\r\n")
        assert received(connection).startswith(b"HTTP/1.1 413")


def test_a_client_that_closes_its_side_is_forgotten(narrow) -> None:
    body = json.dumps({"q": "Tom is tall.", "source": "en", "target": "ja"}).encode()
    head = (
        b"POST /translate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    for _ in range(6):
        with opened(narrow) as connection:
            connection.sendall(head % len(body) + body)
            connection.shutdown(socket.SHUT_WR)
            received(connection)
    assert narrow.get("/health").status == 200


def test_what_a_client_does_not_wait_for_is_not_translated(server) -> None:
    text = "The young nurse read two books at the library yesterday. " * 150
    body = json.dumps({"q": text, "source": "en", "target": "ja"}).encode()
    head = (
        b"POST /translate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    with opened(server) as connection:
        connection.sendall(head % len(body) + body)
        time.sleep(0.1)
    end = time.monotonic() + SECONDS
    while 'path="/translate",status="499"} 1' not in server.get("/metrics").value:
        assert time.monotonic() < end
    assert "nmt_lstm_waiting_lines 0\n" in server.get("/metrics").value


def test_too_many_connections_are_told_to_come_again(narrow) -> None:
    kept = [opened(narrow) for _ in range(4)]
    try:
        time.sleep(0.2)
        reply = narrow.get("/health")
        assert reply.status == 503
        assert reply.headers["retry-after"] == "1"
        assert "connections" in reply.value["error"]
    finally:
        for connection in kept:
            connection.close()
    end = time.monotonic() + SECONDS
    while narrow.get("/health").status != 200:
        assert time.monotonic() < end
    assert "nmt_lstm_refused_connections_total 0" not in narrow.get("/metrics").value


@pytest.mark.parametrize(
    "content", [b"\x00\xff\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/1.1\r\nA" + b"a" * 70_000]
)
def test_what_is_not_http_is_refused(narrow, content) -> None:
    with opened(narrow) as connection:
        connection.sendall(content)
        answer = received(connection)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))


def socket_url(server: ServerProcess, query: str = "") -> str:
    return server.url.replace("http", "ws") + "/translate" + query


def test_a_websocket_speaks_like_marian_server(server) -> None:
    with connect(socket_url(server)) as client:
        client.send("Tom is tall.\n")
        assert client.recv() == f"{TALL}\n"
        client.send("Tom is tall.\n\nTom is tall.")
        assert client.recv() == f"{TALL}\n\n{TALL}\n"
        client.send(b"Tom is tall.")
        assert client.recv() == f"{TALL}\n"
    with connect(socket_url(server, "?source=EN&target=ja")) as client:
        client.send("Tom is tall.")
        assert client.recv() == f"{TALL}\n"


@pytest.mark.parametrize(
    ("query", "message", "code", "word"),
    [
        ("?model=nobody", "Tom", 1008, "named nobody"),
        ("?source=ja&target=en", "Tom", 1008, "no model from ja to en"),
        ("?source=en", "Tom", 1008, "missing target"),
        ("?target=ja", "Tom", 1008, "missing source"),
        ("?source=auto&target=ja", "Tom", 1008, "source=auto"),
        ("", "a" * 10_001, 1008, "limit"),
        ("", b"\xff", 1003, "UTF-8"),
    ],
)
def test_what_a_websocket_cannot_answer_ends_it(server, query, message, code, word) -> None:
    with connect(socket_url(server, query)) as client:
        with contextlib.suppress(ConnectionClosed):
            client.send(message)
        with pytest.raises(ConnectionClosed) as caught:
            client.recv()
    assert caught.value.rcvd.code == code
    assert word in caught.value.rcvd.reason


def test_opennmts_route(server) -> None:
    reply = server.post_json(
        "/translator/translate", [{"src": "Tom is tall.", "id": 0}, {"src": "😀", "id": 0}]
    )
    (best,) = reply.value
    assert [entry["tgt"] for entry in best] == [TALL, "😀"]
    assert best[0]["src"] == "Tom is tall."
    assert best[0]["n_best"] == 1
    assert best[0]["pred_score"] < 0
    assert server.post_json("/translator/translate", [{"src": "Tom is tall.", "id": "en-ja"}]).status == 200
    (model,) = server.get("/translator/models").value
    assert (model["model_id"], model["src"], model["tgt"]) == (0, "en", "ja")
    assert server.get("/translator/health").value == {"status": "ok"}


@pytest.mark.parametrize(
    "body",
    [{}, [], ["a"], [{}], [{"src": 1}], [{"src": "a", "id": 7}], [{"src": "a", "id": "x"}], [{"src": "a", "id": True}],
     [{"src": "a", "id": -1}], [{"src": "a", "id": 0}, {"src": "a", "id": "en-ja"}]],
)  # fmt: skip
def test_what_opennmts_route_cannot_read_is_status_400(server, body) -> None:
    reply = server.post_json("/translator/translate", body)
    assert reply.status == 400
    assert reply.value["error"].startswith("Invalid request: ")


def test_the_description_names_the_routes(server) -> None:
    description = server.get("/spec").value
    assert description["openapi"].startswith("3.")
    assert {"/translate", "/detect", "/languages", "/health"} <= description["paths"].keys()
    fields = description["paths"]["/translate"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    assert fields["properties"]["source"]["enum"] == ["auto", "en", "ja"]
