"""``models``: the built-in models with their scores, and a command that works."""

from __future__ import annotations

import shlex

from nmt_lstm.corpora.builtin import BUILTIN_MODELS, model_path


def test_each_model_is_listed_with_its_score(command):
    finished = command("models")
    assert finished.status == 0, finished.err
    text = finished.text
    for name in BUILTIN_MODELS:
        assert f"builtin:{name}\n" in text
        assert str(model_path(f"builtin:{name}")) in text
    assert "English to Japanese" in text
    assert "tok:char" in text


def test_the_command_in_the_list_translates(command):
    line = next(line for line in command("models").lines if line.strip().startswith("try"))
    echo, _, translate = line.strip().removeprefix("try").strip().partition(" | ")
    sentence = shlex.split(echo)[1]
    finished = command(*shlex.split(translate)[1:], stdin=f"{sentence}\n".encode())
    assert finished.status == 0, finished.err
    (japanese,) = finished.lines
    assert japanese.endswith("。")
