"""LibreTranslate's interface: its replies, status codes and error texts."""

from __future__ import annotations

import json
import uuid
from urllib.parse import urlencode

import pytest

TALL = "トムは背が高い。"
BASE = {"q": "Tom is tall.", "source": "en", "target": "ja"}


def test_json_form_multipart_and_query_are_the_same_request(server) -> None:
    boundary = uuid.uuid4().hex
    parts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in BASE.items()
    )
    replies = [
        server.post_json("/translate", BASE),
        server.post_form("/translate", **BASE),
        server.post(f"/translate?{urlencode(BASE)}"),
        server.post(
            "/translate", f"{parts}--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
        ),
    ]
    assert [reply.status for reply in replies] == [200] * 4
    assert all(reply.value == {"translatedText": TALL} for reply in replies)


def test_a_list_is_answered_by_a_list(server) -> None:
    reply = server.post_json("/translate", {**BASE, "q": ["Tom is tall.", "", "😀", "Tom is tall."]})
    assert reply.value == {"translatedText": [TALL, "", "😀", TALL]}
    fields = {**BASE, "q": ["Tom is tall.", "Tom is tall.\r\n😀"]}
    body = urlencode(fields, doseq=True).encode()
    form = server.post("/translate", body, "application/x-www-form-urlencoded")
    assert form.value == {"translatedText": [TALL, f"{TALL}\n😀"]}


def test_lines_and_the_space_around_them_stay(server) -> None:
    reply = server.post_json("/translate", {**BASE, "q": "  Tom is tall.\n\n\t12:30\n"})
    assert reply.value == {"translatedText": f"  {TALL}\n\n\t12:30\n"}


def test_alternatives_are_different_and_the_best_stays_the_same(server) -> None:
    reply = server.post_json("/translate", {**BASE, "alternatives": 3})
    assert reply.value["translatedText"] == TALL
    alternatives = reply.value["alternatives"]
    assert len({TALL, *alternatives}) == 4
    assert server.post_json("/translate", {**BASE, "q": ["Tom is tall."], "alternatives": 3}).value == {
        "translatedText": [TALL],
        "alternatives": [alternatives],
    }


def test_auto_tells_the_language(server) -> None:
    reply = server.post_json("/translate", {**BASE, "source": "auto"})
    assert reply.value["translatedText"] == TALL
    assert reply.value["detectedLanguage"]["language"] == "en"
    assert reply.value["detectedLanguage"]["confidence"] > 90
    same = server.post_json("/translate", {**BASE, "source": "auto", "q": TALL})
    assert same.value["translatedText"] == TALL
    assert same.value["detectedLanguage"]["language"] == "ja"


def test_auto_tells_the_language_of_each_text_of_a_list(server) -> None:
    texts = ["Tom is tall, and so is the boy.", TALL, "12:30", "Tom is tall, and so is the boy."]
    reply = server.post_json("/translate", {**BASE, "source": "auto", "q": texts}).value
    found = [each["language"] for each in reply["detectedLanguage"]]
    assert (found[:2], found[3]) == (["en", "ja"], "en")
    alone = server.post_json("/translate", {**BASE, "q": texts[0]}).value["translatedText"]
    assert reply["translatedText"] == [alone, TALL, "12:30", alone]
    assert alone != texts[0]
    # Into English, nothing is translated: what is English is not, and what is not is refused.
    back = {**BASE, "source": "auto", "target": "en"}
    assert server.post_json("/translate", {**back, "q": texts[:1]}).value["translatedText"] == texts[:1]
    assert server.post_json("/translate", {**back, "q": [TALL, TALL]}).status == 400


def test_html_keeps_its_tags(server) -> None:
    text = '<p class="a &amp; b">Tom is tall.</p><!-- Tom --><br>Tom is tall.'
    reply = server.post_json("/translate", {**BASE, "q": text, "format": "html"})
    assert reply.value["translatedText"] == f'<p class="a &amp; b">{TALL}</p><!-- Tom --><br>{TALL}'


def test_codes_may_have_capital_letters(server) -> None:
    assert server.post_json("/translate", {**BASE, "source": "EN", "target": "Ja"}).status == 200


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"q": None}, "Invalid request: missing q parameter"),
        ({"q": ""}, "Invalid request: missing q parameter"),
        ({"q": []}, "Invalid request: missing q parameter"),
        ({"source": ""}, "Invalid request: missing source parameter"),
        ({"target": None}, "Invalid request: missing target parameter"),
        ({"source": "zz"}, "zz is not supported"),
        ({"target": "zz"}, "zz is not supported"),
        ({"format": "xml"}, "xml format is not supported"),
        ({"alternatives": "abc"}, "Invalid request: alternatives parameter is not a number"),
        (
            {"source": "ja", "target": "en"},
            "English (en) is not available as a target language from Japanese (ja)",
        ),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_libretranslate(server, change, text) -> None:
    reply = server.post_json("/translate", {**BASE, **change})
    assert (reply.status, reply.value) == (400, {"error": text})


@pytest.mark.parametrize("value", [7, {"a": 1}, ["a", 7], [["a"]], True])
def test_texts_of_a_wrong_type_are_refused(server, value) -> None:
    reply = server.post_json("/translate", {**BASE, "q": value})
    assert reply.status == 400
    assert "q parameter" in reply.value["error"]


@pytest.mark.parametrize("body", ["[1, 2]", "{", "", "nul", "[" * 100_000])
def test_what_is_not_a_json_object_is_refused(server, body) -> None:
    reply = server.post("/translate", body.encode(), "application/json")
    assert (reply.status, reply.value) == (400, {"error": "Invalid JSON format"})


def test_languages(server) -> None:
    assert server.get("/languages").value == [
        {"code": "en", "name": "English", "targets": ["en", "ja"]},
        {"code": "ja", "name": "Japanese", "targets": ["ja"]},
    ]


def test_detect(server) -> None:
    reply = server.post_form("/detect", q="The nurse reads a book.")
    assert reply.value[0]["language"] == "en"
    assert 0 < reply.value[0]["confidence"] <= 100
    assert server.post_json("/detect", {"q": ["トムは", "高い"]}).value[0]["language"] == "ja"
    assert server.post_form("/detect", q="1234").value == [{"language": "en", "confidence": 0.0}]
    assert server.post_form("/detect").status == 400


def test_health_and_settings(server) -> None:
    assert server.get("/health").value == {"status": "ok"}
    settings = server.get("/frontend/settings").value
    assert settings["apiKeys"] is settings["keyRequired"] is settings["filesTranslation"] is False
    assert settings["language"]["source"] == {"code": "auto", "name": "Auto Detect"}
    assert settings["language"]["target"] == {"code": "ja", "name": "Japanese"}


def test_other_methods_and_paths_are_errors_as_json(server) -> None:
    assert server.get("/translate").status == 405
    assert server.post_json("/health", {}).status == 405
    reply = server.get("/no/such/path")
    assert (reply.status, reply.value) == (404, {"error": "Not Found"})


def test_browsers_of_other_sites_may_ask(server) -> None:
    for reply in (server.get("/health"), server.get("/nowhere"), server.post_json("/translate", {})):
        assert reply.headers["access-control-allow-origin"] == "*"
        assert reply.headers["access-control-allow-methods"] == "GET, POST"


def test_lone_surrogates_do_no_harm(server) -> None:
    reply = server.post("/translate", json.dumps({**BASE, "q": "\ud800"}).encode(), "application/json")
    assert reply.value == {"translatedText": "\ufffd"}
