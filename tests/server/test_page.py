"""What the page's script asks the server for."""

from __future__ import annotations

import pytest

from nmt_lstm.server.page.sentence_details import token_spans

MODEL = {"model": "en-ja"}


def test_the_page_comes_with_all_its_files_and_asks_for_nothing_else(server) -> None:
    page = server.get("/")
    assert page.status == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http" not in page.value.replace("http-equiv", "")
    for name in ("main.js", "panel.js", "heat.js", "report.css", "page.css"):
        assert server.get(f"/page/{name}").status == 200
    for name in ("nothing.js", "..%2Froutes.py", "..%2f..%2fapplication.py", "__init__.py"):
        assert server.get(f"/page/{name}").status == 404


def test_models_and_limits(server) -> None:
    offer = server.get("/page/models").value
    assert offer["models"] == [
        {
            "name": "en-ja",
            "source": {"code": "en", "name": "English"},
            "target": {"code": "ja", "name": "Japanese"},
        }
    ]
    assert offer["characters"] > 0


def test_a_text_comes_back_with_the_details_of_each_sentence(server) -> None:
    text = "The dog is sleeping . Tom is tall .\n\n 12 %"
    reply = server.post_json("/page/translate", {**MODEL, "text": text}).value
    first, second = reply["sentences"]
    assert reply["parts"] == [0, 1, "\n", "\n", " 12 %"]
    assert first["line"] == "The dog is sleeping ."
    assert [word["text"] for word in first["source"]] == ["The", "dog", "is", "sleeping", "."]
    assert "".join(word["text"] for word in first["target"]) == first["text"]
    plain = server.post_json("/translate", {"q": text, "source": "en", "target": "ja"}).value
    assert f"{first['text']}{second['text']}\n\n 12 %" == plain["translatedText"]
    for place, word in enumerate(first["target"]):
        assert 0.0 <= word["probability"] <= 1.0
        assert word["before"] == first["text"][:place]
        assert len(word["attention"]) == len(first["source"])
        assert 0.0 <= sum(word["attention"]) <= 1.001
    assert first["text"] not in first["alternatives"]


def test_a_beginning_is_kept_and_the_rest_changes(server) -> None:
    line = "The dog is sleeping ."
    words = server.post_json("/page/words", {**MODEL, "text": line, "prefix": "犬は"}).value["words"]
    assert [word["probability"] for word in words] == sorted(
        (word["probability"] for word in words), reverse=True
    )
    other = words[1]["prefix"]
    assert other == f"犬は{words[1]['text']}"
    reply = server.post_json("/page/translate", {**MODEL, "text": line, "prefixes": {line: other}}).value
    assert reply["sentences"][0]["text"].startswith(other)
    assert reply["sentences"][0]["prefix"] == other


def test_gates_and_memory_of_each_cell(server) -> None:
    asked = {**MODEL, "text": "The dog is sleeping .", "translation": "犬は寝ている。"}
    cells = server.post_json("/page/inside", asked).value["cells"]
    names = [cell["name"] for cell in cells]
    assert any(name.startswith("encoder") for name in names)
    assert any(name.startswith("decoder") for name in names)
    for cell in cells:
        assert {"forget", "memory (cell)"} <= {strip["name"] for strip in cell["strips"]}
        assert cell["pieces"][0 if cell["name"].startswith("decoder") else -1] in ("<s>", "</s>")


def test_a_sentence_that_is_too_long_to_look_into_is_refused_in_words(server) -> None:
    asked = {**MODEL, "text": "dog " * 200, "translation": "犬"}
    assert "pieces" in server.post_json("/page/inside", asked).value["refused"]


def test_placeholders_stay_in_the_texts_of_files(server) -> None:
    asked = {**MODEL, "texts": ["Tom is {age} years old .", ""]}
    assert "{age}" in server.post_json("/page/texts", asked).value["texts"][0]


@pytest.mark.parametrize(
    ("path", "values", "problem"),
    [
        ("translate", {"text": "a"}, "model"),
        ("translate", {"model": "other", "text": "a"}, "other"),
        ("translate", {**MODEL, "text": ["a"]}, "text"),
        ("translate", {**MODEL, "text": "a", "prefixes": ["b"]}, "prefixes"),
        ("translate", {**MODEL, "text": "a" * 100_000}, "limit"),
        ("words", MODEL, "text"),
        ("inside", {**MODEL, "text": "a"}, "translation"),
        ("texts", {**MODEL, "texts": [1]}, "texts"),
    ],
)
def test_wrong_requests_are_refused_by_name(server, path, values, problem) -> None:
    reply = server.post_json(f"/page/{path}", values)
    assert reply.status == 400
    assert problem in reply.value["error"]


@pytest.mark.parametrize(
    ("pieces", "spans"),
    [
        (["▁A", "▁man", "s", "."], [(0, 1), (1, 4)]),
        (["▁", "犬", "は"], [(0, 2), (2, 3)]),
        (["▁犬", "<0xE7>", "<0x8C>", "<0xAB>", "。"], [(0, 1), (1, 5)]),
        ([], []),
    ],
)
def test_readers_point_at_words_or_at_pieces_where_there_are_no_spaces(pieces, spans) -> None:
    assert token_spans(pieces) == spans
