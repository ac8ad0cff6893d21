"""``translate``: one output line for each input line; output that was written is never lost."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from nmt_lstm.cli.translate import prompted
from nmt_lstm.config.load import make_run

DATA = dict.fromkeys(("train_source", "train_target", "valid_source", "valid_target"), "text")


def test_one_line_for_each_line(command, translator):
    finished = command("translate", "-m", "runs/x", stdin="ab\n\n \ncdé\n".encode())
    assert (finished.status, finished.out, finished.err) == (0, "ba\n\n \nédc\n".encode(), "")


def test_bytes_that_are_not_utf8_are_replaced_with_a_warning_that_names_the_line(command, translator):
    finished = command("translate", "-m", "x", stdin=b"ok\nab\xff\n\xfe\n")
    assert finished.lines == ["ko", "\ufffdba", "\ufffd"]
    first, second = finished.err.splitlines()
    assert first.startswith("nmt-lstm: warning: stdin, line 2: byte 3 (0xff)")
    assert second.startswith("nmt-lstm: warning: stdin, line 3: byte 1 (0xfe)")


def test_a_binary_file_does_not_flood_the_screen(command, translator):
    finished = command("translate", "-m", "x", stdin=b"\xff\n" * 500)
    assert len(finished.lines) == 500
    assert len(finished.err.splitlines()) == 11
    assert "500 lines" in finished.err.splitlines()[-1]


def test_n_best_writes_exactly_n_lines_per_input_line(command, translator):
    assert command("translate", "-m", "x", "--n-best", "3", stdin=b"ab\ncd\n").lines == [
        "ba",
        "a",
        "",
        "dc",
        "c",
        "",
    ]


def test_n_best_cannot_be_larger_than_the_beam(command, translator):
    finished = command("translate", "-m", "x", "--n-best", "7", stdin=b"ab\n")
    assert finished.status == 2
    assert "--beam-size 7" in finished.error
    assert command("translate", "-m", "x", "--n-best", "7", "-b", "7", stdin=b"ab\n").status == 0


def test_set_changes_settings_of_the_search_only(command, translator, monkeypatch):
    monkeypatch.setattr(translator, "run", make_run({"data": DATA}))
    changed = ("--set", "search.alpha=1.5", "--set", "search.beam_size=8")
    assert command("translate", "-m", "x", *changed, "--n-best", "7", stdin=b"ab\n").status == 0
    (call,) = translator.calls
    assert (call["search"].alpha, call["search"].beam_size) == (1.5, 8)
    finished = command("translate", "-m", "x", "--set", "model.dropout=0.1", stdin=b"ab\n")
    assert finished.status == 2
    assert "model.dropout=0.1" in finished.error
    finished = command("translate", "-m", "x", "--set", "search.aplha=1", stdin=b"ab\n")
    assert finished.status == 2
    assert "search.alpha" in finished.err
    assert len(translator.calls) == 1


def test_groups_of_the_beam_are_settings_of_the_search(command, translator, monkeypatch):
    monkeypatch.setattr(translator, "run", make_run({"data": DATA}))
    options = ("--beam-groups", "3", "--diversity", "0.8", "-b", "6")
    assert command("translate", "-m", "x", *options, stdin=b"ab\n").status == 0
    (call,) = translator.calls
    assert (call["search"].beam_groups, call["search"].diversity, call["beam_size"]) == (3, 0.8, 6)
    finished = command("translate", "-m", "x", "--beam-groups", "3", stdin=b"ab\n")
    assert (finished.status, "beam size such as 6" in finished.error) == (2, True)
    assert len(translator.calls) == 1


def test_a_language_model_is_loaded_and_its_weight_is_a_setting(command, translator, monkeypatch):
    monkeypatch.setattr(translator, "run", make_run({"data": DATA}))
    checked = []
    monkeypatch.setattr(
        "nmt_lstm.cli.early_checks.check_language_model", lambda *arguments: checked.append(arguments)
    )
    options = ("--lm", "runs/lm", "--lm-weight", "0.3")
    assert command("translate", "-m", "x", *options, stdin=b"ab\n").status == 0
    assert translator.language_models == [Path("runs/lm")]
    assert checked == [([Path("x")], Path("runs/lm"), 0.3)]
    (call,) = translator.calls
    assert call["search"].language_model_weight == 0.3


def test_the_weight_of_a_language_model_needs_one(command, translator):
    finished = command("translate", "-m", "x", "--lm-weight", "0.3", stdin=b"ab\n")
    assert finished.status == 2
    assert "--lm" in finished.error
    assert not translator.loaded


def test_scores_precede_and_alignments_follow_the_text(command, translator):
    finished = command("translate", "-m", "x", "--scores", "--alignments", "--n-best", "3", stdin=b"ab\n")
    assert finished.lines == ["-1.5000\tba\t0-1 1-0", "-2.5000\ta\t0-1 1-0", "\t\t"]


def test_jsonl_is_one_object_per_line(command, translator):
    finished = command("translate", "-m", "x", "--format", "jsonl", "--n-best", "2", stdin="é\n\n".encode())
    first, second = map(json.loads, finished.lines)
    assert (first["source"], first["translation"], first["score"]) == ("é", "é", -1.5)
    assert [hypothesis["score"] for hypothesis in first["hypotheses"]] == [-1.5, -2.5]
    assert first["hypotheses"][0]["alignment"] == [[0, 1], [1, 0]]
    assert second["translation"] == ""
    assert "é" in finished.lines[0]


def test_several_models_and_the_options_reach_the_translator(command, translator, tmp_path):
    command(
        "translate",
        "-m",
        "a",
        "-m",
        "b",
        "-b",
        "7",
        "--batch-size",
        "3",
        "--precision",
        "float32",
        stdin=b"x\n",
    )
    ((folders, device, precision),) = translator.loaded
    assert ([str(folder) for folder in folders], device, precision) == (["a", "b"], "auto", "float32")
    (call,) = translator.calls
    assert (call["beam_size"], call["batch_size"], call["n_best"]) == (7, 3, 1)


def test_an_interruption_keeps_the_lines_written_so_far(command, translator, tmp_path):
    translator.interrupt_after = 2
    finished = command("translate", "-m", "x", stdin=b"ab\ncd\nef\n")
    assert (finished.status, finished.out) == (130, b"ba\ndc\n")
    assert "Interrupted: the first 2 lines" in finished.err
    assert command("translate", "-m", "x", "-o", "out", stdin=b"ab\ncd\nef\n").status == 130
    assert (tmp_path / "out").read_bytes() == b"ba\ndc\n"


def test_an_interruption_at_a_terminal_says_only_that(command, translator, monkeypatch):
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(io, "TextIOWrapper", Terminal)
    translator.interrupt_after = 2
    finished = command("translate", "-m", "x", stdin=b"ab\n\nef\n")
    assert (finished.status, finished.out) == (130, b"ba\n\n")
    assert finished.err.endswith("\nInterrupted.\n")


def test_an_interruption_before_the_first_line_leaves_the_output_file_unchanged(
    command, translator, tmp_path
):
    translator.interrupt_after = 0
    (tmp_path / "out").write_text("old\n")
    finished = command("translate", "-m", "x", "-o", "out", stdin=b"ab\n")
    assert finished.status == 130
    assert "Interrupted before" in finished.err
    assert (tmp_path / "out").read_text() == "old\n"


@pytest.mark.parametrize("source", ["missing.de", "folder", "damaged.gz"])
@pytest.mark.parametrize("output", ["out.en", "out.en.gz"])
def test_an_unreadable_input_leaves_the_output_file_unchanged(command, translator, tmp_path, source, output):
    (tmp_path / "folder").mkdir()
    (tmp_path / "damaged.gz").write_bytes(b"no gzip")
    (tmp_path / output).write_bytes(b"of yesterday")
    for name in (output, "new.en"):
        finished = command("translate", "-m", "x", "-i", source, "-o", name)
        assert finished.status == 1
        assert len(finished.err.splitlines()) == 1
    assert (tmp_path / output).read_bytes() == b"of yesterday"
    assert not (tmp_path / "new.en").exists()


def test_an_empty_input_makes_an_empty_output(command, translator, tmp_path):
    (tmp_path / "out.en").write_bytes(b"of yesterday")
    assert command("translate", "-m", "x", "-o", "out.en").status == 0
    assert (tmp_path / "out.en").read_bytes() == b""


def test_json_lines_have_no_line_ends_or_control_characters_inside(command, translator):
    finished = command(
        "translate", "-m", "model", "--format", "jsonl", stdin="a\x9bb\u2028c\u202ed\n".encode()
    )
    assert finished.status == 0
    text = finished.text
    assert text.splitlines() == [text[:-1]]
    assert not {"\x9b", "\u2028", "\u202e"} & set(text)
    assert json.loads(text)["source"] == "a\x9bb\u2028c\u202ed"


def test_names_of_files_cannot_control_the_terminal(command, translator):
    finished = command("translate", "-m", "model", "-i", "none\x1b[2J\x9b\u202e", stdin=b"")
    assert finished.status == 1
    assert "none\\x1b[2J\\x9b\\u202e" in finished.err


def test_a_note_confirms_the_number_of_lines_written(command, translator, tmp_path):
    finished = command("translate", "-m", "x", "-o", "out.en", stdin=b"ab\ncd\n")
    assert (finished.out, finished.err) == (b"", "Wrote 2 lines to 'out.en'.\n")


def test_a_prompt_precedes_each_typed_line(capsys):
    lines = prompted(iter(["one", "two"]))
    assert next(lines) == "one"
    assert capsys.readouterr() == ("", "> ")
    assert list(lines) == ["two"]
    assert capsys.readouterr() == ("", "> > \n")


def test_a_language_model_must_be_one(command):
    finished = command("translate", "-m", "builtin:en-ja", "--lm", "builtin:en-ja", stdin=b"x\n")
    assert finished.status != 0
    assert "translation model" in finished.error
