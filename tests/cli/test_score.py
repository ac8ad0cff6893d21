"""``score``: log probabilities as text and as JSON, and texts that must agree line by line."""

from __future__ import annotations

import json


def write_texts(folder, **texts):
    for name, text in texts.items():
        (folder / name).write_text(text)


def test_a_line_has_the_sum_and_the_mean_per_piece(command, tmp_path, translator):
    write_texts(tmp_path, src="one\ntwo\n", tgt="ab\nabcd\n")
    finished = command("score", "-m", "x", "-s", "src", "-t", "tgt")
    assert finished.lines == ["-1.0000\t-0.5000", "-2.0000\t-0.5000"]
    assert "perplexity 1.649" in finished.err
    line = json.loads(command("score", "-m", "x", "-s", "src", "-t", "tgt", "--format", "jsonl").lines[0])
    assert line == {"log_probability": -1.0, "per_piece": -0.5, "pieces": [["a", -0.5], ["b", -0.5]]}


def test_source_and_target_must_have_the_same_number_of_lines(command, tmp_path, translator):
    write_texts(tmp_path, src="one\n", tgt="ab\nabcd\n")
    finished = command("score", "-m", "x", "-s", "src", "-t", "tgt")
    assert finished.status == 1
    assert "'tgt' has 2 lines" in finished.error
