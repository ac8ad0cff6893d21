"""``inspect``: pages, folders of pages and JSON from a model with random weights."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest

from nmt_lstm.cli.app import main

SENTENCE = "eins zwei drei ."


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_sentence_becomes_a_page_named_after_it(random_model_folder, folder, capsys) -> None:
    assert main(["inspect", "-m", str(random_model_folder), SENTENCE]) == 0
    path = folder / capsys.readouterr().out.strip()
    assert path.name == "eins-zwei-drei.html"
    assert SENTENCE in path.read_text(encoding="utf-8")


def test_several_sentences_become_a_folder(random_model_folder, folder, capsys) -> None:
    (folder / "in.txt").write_text(f"{SENTENCE}\n\nvier .\n", encoding="utf-8")
    assert main(["inspect", "-m", str(random_model_folder), "-i", "in.txt", "-o", "pages"]) == 0
    assert [path.name for path in sorted((folder / "pages").iterdir())] == [
        "01-eins-zwei-drei.html",
        "03-vier.html",
    ]
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_stdin_is_read(random_model_folder, folder, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(SENTENCE.encode()), encoding="utf-8"))
    assert main(["inspect", "-m", str(random_model_folder), "-o", "page.html"]) == 0
    assert (folder / "page.html").is_file()
    assert capsys.readouterr().out == "page.html\n"


def test_json_goes_to_stdout(random_model_folder, folder, capsys) -> None:
    model = ["-m", str(random_model_folder)]
    assert main(["inspect", *model, *model, SENTENCE, "--format", "json"]) == 0
    traces = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [trace["source"]["text"] for trace in traces] == [SENTENCE, SENTENCE]
    assert not list(folder.iterdir())


def test_show_draws_at_the_terminal(random_model_folder, folder, capsys) -> None:
    assert main(["inspect", "-m", str(random_model_folder), SENTENCE, "--show"]) == 0
    assert "encoder, layer 1, forward: lstm" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ([SENTENCE, "-i", "in.txt"], "not both"),
        ([SENTENCE, "--target", "one", "--prefix", "two"], "--target"),
        ([SENTENCE, "--format", "json", "-o", "x.json"], "stdout"),
        ([SENTENCE, "--format", "json", "--show"], "--show"),
        ([SENTENCE, "--what", "gates"], "--format svg"),
        (["--corpus", "in.txt", "--show"], "add a sentence"),
        ([SENTENCE, "--corpus", "in.txt", "--format", "json"], "--corpus"),
        ([SENTENCE, "--corpus", "missing.txt"], "missing.txt"),
        ([SENTENCE, "--format", "svg", "--layer", "encoder.7"], "encoder.1.forward"),
        ([" "], "'TEXT' is empty"),
    ],
)
def test_contradictory_options_are_an_error(random_model_folder, folder, capsys, words, key) -> None:
    assert main(["inspect", "-m", str(random_model_folder), *words]) != 0
    message = capsys.readouterr().err
    assert key in message
    assert len(message.splitlines()) <= 3
    assert not list(folder.glob("*.html"))


def test_a_line_that_is_too_long_is_skipped_with_a_warning(random_model_folder, folder, capsys) -> None:
    (folder / "in.txt").write_text(f"{SENTENCE}\n{'eins ' * 200}\nvier .\n", encoding="utf-8")
    assert main(["inspect", "-m", str(random_model_folder), "-i", "in.txt", "-o", "pages"]) == 0
    output = capsys.readouterr()
    assert "line 2" in output.err
    assert len(output.out.splitlines()) == 2


def test_characters_that_the_terminal_lacks_are_escaped(random_model_folder, folder, monkeypatch) -> None:
    terminal = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(terminal, encoding="ascii"))
    assert main(["inspect", "-m", str(random_model_folder), SENTENCE, "--show"]) == 0
    sys.stdout.flush()
    assert b"encoder, layer 1" in terminal.getvalue()


def test_a_page_has_the_command_that_makes_it(random_model_folder, folder) -> None:
    assert main(["inspect", "-m", str(random_model_folder), SENTENCE, "-b", "2", "-o", "page.html"]) == 0
    (data,) = re.findall(r'id="traces">(.*?)</script>', (folder / "page.html").read_text(encoding="utf-8"))
    (trace,) = json.loads(data)["traces"]
    assert trace["command"] == f"nmt-lstm inspect -m {random_model_folder} -b 2 '{SENTENCE}'"


def test_a_picture_shows_what_was_chosen(random_model_folder, folder, capsys) -> None:
    words = ["inspect", "-m", str(random_model_folder), SENTENCE, "--format", "svg"]
    assert main([*words, "--what", "gates", "--what", "memory", "--layer", "decoder.1"]) == 0
    path = folder / capsys.readouterr().out.strip()
    assert path.name == "eins-zwei-drei.svg"
    svg = path.read_text(encoding="utf-8")
    assert "decoder, layer 1, forward: lstm" in svg
    assert ">attention<" not in svg


def test_a_png_is_written(random_model_folder, folder, capsys) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra `plot`)")
    assert main(["inspect", "-m", str(random_model_folder), SENTENCE, "--format", "png", "-o", "x.png"]) == 0
    assert (folder / "x.png").read_bytes().startswith(b"\x89PNG")


def test_no_page_is_replaced_by_that_of_a_different_sentence(random_model_folder, folder, capsys) -> None:
    words = ["inspect", "-m", str(random_model_folder), "--format", "svg"]
    for line in (SENTENCE, "Eins, zwei, drei!", SENTENCE):
        assert main([*words, line]) == 0
    assert capsys.readouterr().out.split() == [
        "eins-zwei-drei.svg", "eins-zwei-drei-2.svg", "eins-zwei-drei.svg",
    ]  # fmt: skip


GRADIENTS = ["inspect", "--gradients", SENTENCE, "--lengths", "4,6"]


def test_gradients_become_a_table_and_a_page(random_model_folder, folder, capsys) -> None:
    models = ["-m", str(random_model_folder), "-m", str(random_model_folder)]
    assert main([*GRADIENTS, *models]) == 0
    heard = capsys.readouterr()
    assert heard.out == "gradient-flow.html\n"
    assert heard.err.count("decoder, layer 1, forward") == 4
    page = (folder / "gradient-flow.html").read_text(encoding="utf-8")
    command = f"nmt-lstm inspect --gradients --lengths 4,6 {' '.join(models)} &#x27;{SENTENCE}&#x27;"
    assert command in page


def test_gradients_become_a_picture_or_json(random_model_folder, folder, capsys) -> None:
    words = [*GRADIENTS, "-m", str(random_model_folder), "--target", "one two"]
    assert main([*words, "--format", "svg", "-o", "flow.svg"]) == 0
    assert "encoder, layer 1, backward, after training" in (folder / "flow.svg").read_text(encoding="utf-8")
    capsys.readouterr()
    assert main([*words, "--format", "json"]) == 0
    heard = capsys.readouterr()
    assert json.loads(heard.out)["targets"] == ["one two"]
    assert not heard.err


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["--gradients", "--show"], "--show"),
        (["--gradients", "--prefix", "one"], "--prefix"),
        (["--gradients", "--format", "svg", "--what", "gates"], "--what"),
        (["--gradients", "--format", "svg", "--layer", "encoder.3"], "choose from encoder.1.forward"),
        (["--gradients", "--format", "png"], "--format png"),
        (["--gradients", "--lengths", "ten"], "whole number"),
        (["--gradients", "--lengths", "1"], "2 to 500"),
        (["--lengths", "10"], "add --gradients"),
    ],
)
def test_options_that_gradients_do_not_take_are_refused(
    random_model_folder, folder, capsys, words, key
) -> None:
    assert main(["inspect", "-m", str(random_model_folder), SENTENCE, *words]) != 0
    complaint = capsys.readouterr().err
    assert key in complaint
    assert len(complaint.splitlines()) <= 3
    assert not list(folder.iterdir())


def test_a_corpus_becomes_an_overview(random_model_folder, folder, capsys) -> None:
    (folder / "some.de").write_text(f"{SENTENCE}\n\nvier .\n", encoding="utf-8")
    words = ["inspect", "-m", str(random_model_folder), "--corpus", "some.de"]
    assert main(words) == 0
    path = folder / capsys.readouterr().out.strip()
    assert path.name == "some-overview.html"
    assert "2 sentences of some.de" in path.read_text(encoding="utf-8")
    assert main([*words, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["sentences"] == 2


def test_a_page_with_a_corpus_has_its_sentences(random_model_folder, folder) -> None:
    (folder / "some.de").write_text("vier fünf .\n", encoding="utf-8")
    words = ["inspect", "-m", str(random_model_folder), SENTENCE, "--corpus", "some.de", "-o", "page.html"]
    assert main(words) == 0
    (data,) = re.findall(r'id="traces">(.*?)</script>', (folder / "page.html").read_text(encoding="utf-8"))
    (trace,) = json.loads(data)["traces"]
    assert len(trace["text"]["encoder"]) == 1
