"""``generate``, and ``score`` and ``evaluate`` with a language model."""

from __future__ import annotations

import json

import pytest


def test_texts_begin_with_the_prompt_and_repeat_with_the_seed(command, language_model_folder):
    arguments = ("generate", "-m", language_model_folder, "-n", 3, "--max-pieces", 6, "--seed", 5)
    finished = command(*arguments, "--prompt", "one two")
    assert len(finished.lines) == 3
    assert all(line.startswith("one two") for line in finished.lines)
    assert command(*arguments, "--prompt", "one two").lines == finished.lines
    several = command(*arguments, "--batch-size", 1, stdin=b"one two\nthree\n")
    assert several.lines[:3] == finished.lines
    assert len(several.lines) == 6


def test_json_has_pieces_and_whether_the_text_is_complete(command, language_model_folder, tmp_path):
    (tmp_path / "prompts").write_text("one\n\n")
    finished = command(
        *("generate", "-m", language_model_folder, "-i", "prompts", "--method", "beam", "-b", 2, "-n", 2),
        *("--format", "jsonl", "--max-pieces", 2, "-o", "out"),
    )
    assert finished.status == 0
    first, second = map(json.loads, (tmp_path / "out").read_text().splitlines())
    assert (first["prompt"], second["prompt"]) == ("one", "")
    assert set(first["texts"][0]) >= {"text", "pieces", "complete", "log_probability", "prompt_pieces"}


@pytest.mark.parametrize("unit", ["word", "piece"])
def test_the_next_words_are_a_table_or_json(command, language_model_folder, unit):
    arguments = ("generate", "-m", language_model_folder, "--prompt", "one", "--next", 4, "--unit", unit)
    table = command(*arguments).lines
    assert table[0].split() == ["probability", "next", unit]
    assert len(table) == 5
    values = json.loads(command(*arguments, "--format", "jsonl").text)[f"next_{unit}s"]
    assert [f"{each['probability']:.4f}" for each in values] == [line.split()[0] for line in table[1:]]


@pytest.mark.parametrize("unit", ["word", "piece"])
def test_the_table_calls_the_end_of_the_text_by_its_name(command, language_model_folder, unit):
    arguments = ("generate", "-m", language_model_folder, "--prompt", "one", "--next", 500, "--unit", unit)
    table = command(*arguments).lines
    values = json.loads(command(*arguments, "--format", "jsonl").text)[f"next_{unit}s"]
    (end,) = (row for row, each in enumerate(values, 1) if each["text"] == "</s>")
    assert "end of the text" in table[end]
    assert not any("</s>" in line for line in table)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--prompt", "a", "-i", "b"), "--prompt"),
        (("--prompt", "a", "-n", 9, "--method", "beam"), "--beam-size"),
        (("--prompt", "a", "--method", "beam", "--top-k", 3), "--top-k"),
        (("-i", "missing"), "missing"),
    ],
)
def test_contradictions_are_refused(command, language_model_folder, arguments, word):
    finished = command("generate", "-m", language_model_folder, *arguments)
    assert finished.status != 0
    assert word in finished.error


def test_a_model_of_a_different_task_is_refused_with_the_right_command(
    command, language_model_folder, random_model_folder
):
    assert "nmt-lstm translate" in command("generate", "-m", random_model_folder, "--prompt", "a").error
    for name in ("translate", "inspect"):
        finished = command(name, "-m", language_model_folder, stdin=b"one\n")
        assert "nmt-lstm generate" in finished.error


def test_evaluate_counts_ends_of_lines(command, language_model_folder, tmp_path):
    (tmp_path / "text").write_text("one two .\n\nthree\n")
    finished = command("evaluate", "-m", language_model_folder, "-s", "text")
    assert "perplexity per word" in finished.text
    assert "blank line" in finished.err
    values = json.loads(
        command("evaluate", "-m", language_model_folder, "-s", "text", "--format", "json").text
    )
    assert (values["lines"], values["words"], values["characters"]) == (2, 6, 16)


def test_score_writes_a_line_for_each_line(command, language_model_folder, tmp_path):
    (tmp_path / "text").write_text("one two .\n\n")
    finished = command("score", "-m", language_model_folder, "-s", "text")
    assert [len(line.split("\t")) for line in finished.lines] == [2, 2]
    pieces = json.loads(
        command("score", "-m", language_model_folder, "-s", "text", "--format", "jsonl").lines[0]
    )
    assert pieces["pieces"][-1][0] == "</s>"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("evaluate", "-s", "text", "-r", "text"), "--reference"),
        (("evaluate",), "-s"),
        (("score", "-s", "text", "-t", "text"), "--target"),
        (("evaluate", "-s", "blank"), "blank"),
    ],
)
def test_what_a_language_model_does_not_need_is_refused(
    command, language_model_folder, tmp_path, arguments, word
):
    (tmp_path / "text").write_text("one\n")
    (tmp_path / "blank").write_text("\n")
    finished = command(*arguments, "-m", language_model_folder)
    assert finished.status != 0
    assert word in finished.error


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--next", "3", "--temperature", "5", "--top-k", "2"), ("--temperature", "--top-k")),
        (("--next", "3", "-n", "2"), ("-n",)),
        (("--next", "3", "--seed", "3"), ("--seed",)),
        (("--next", "3", "--set", "search.alpha=1"), ("--set",)),
        (("--unit", "piece"), ("--unit", "--next")),
        (("--method", "beam", "--seed", "4"), ("--seed",)),
        (("--beam-size", "3", "--top-p", "0.9"), ("--top-p",)),
        (("--method", "sampling", "--beam-size", "3"), ("--beam-size",)),
    ],
)
def test_options_without_effect_are_refused_by_name(command, language_model_folder, options, named):
    finished = command("generate", "-m", language_model_folder, "--prompt", "one", *options)
    assert finished.status == 2
    assert all(name in finished.error for name in named)


def test_an_option_of_sampling_draws_also_if_the_model_searches_by_default(command, language_model_folder):
    drawn = ("--set", "search.method=beam", "--seed", "3", "--top-p", "0.9")
    assert command("generate", "-m", language_model_folder, "--prompt", "one", *drawn).status == 0


def test_small_probabilities_are_not_zeros(command, language_model_folder):
    for unit in ("word", "piece"):
        finished = command(
            "generate", "-m", language_model_folder, "--prompt", "one", "--next", 500, "--unit", unit
        )
        values = [float(line.split()[0]) for line in finished.lines[1:]]
        assert min(values) > 0.0
        assert values == sorted(values, reverse=True)
    assert command("generate", "-m", language_model_folder, "--prompt", "one", "--next", 501).status == 2


def test_next_words_warn_of_control_characters(command, language_model_folder):
    finished = command("generate", "-m", language_model_folder, "--next", 2, stdin=b"one\ntwo \x01\n")
    assert "line 2: control characters" in finished.err


def test_a_misspelt_table_of_a_search_setting_is_corrected(command, language_model_folder):
    finished = command("generate", "-m", language_model_folder, "--prompt", "a", "--set", "serch.alpha=2")
    assert finished.status == 2
    assert "'search.alpha'" in finished.error
