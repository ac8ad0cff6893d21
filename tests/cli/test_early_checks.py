"""Errors in the arguments of each command are reported before torch is imported, which takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nmt_lstm.cli.early_checks import check_keep_as, check_models, check_tag
from nmt_lstm.config.load import dump_toml, make_run
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.inference.text_options import TextOptions
from nmt_lstm.text.subwords import train_subwords

RUN_FILE = """
[data]
train_source = "text"
train_target = "text"
valid_source = "text"
valid_target = "{valid}"
"""
INVALID = [
    ["translate", "-m", "no-model"],
    ["translate", "-m", "builtin:en-ja", "-i", "no-file"],
    ["translate", "-m", "builtin:en-ja", "-m", "builtin:en-ja", "-i", "text"],
    ["score", "-m", "builtin:en-ja", "-m", "builtin:en-ja", "-s", "text", "-t", "text"],
    ["evaluate", "-m", "builtin:en-ja", "-m", "builtin:en-ja", "-s", "text", "-r", "text"],
    ["leaderboard", "add", "board", "-m", "builtin:en-ja", "-m", "builtin:en-ja"],
    ["translate", "-m", "builtin:en-ja", "-i", "text", "-o", "no-folder/out"],
    ["translate", "-m", "builtin:en-ja", "-i", "text", "--set", "search.alhpa=1"],
    ["translate", "-m", "builtin:en-ja", "-i", "text", "--n-best", "9"],
    ["translate", "-m", "builtin:en-ja", "-i", "text", "--device", "gpu"],
    ["translate", "-m", "builtin:en-ja", "-i", "text", "--beam-groups", "3"],
    ["translate", "-m", "builtin:en-ja", "-i", "text", "--diversity", "0.3"],
    ["translate", "-m", "builtin:en-ja", "-i", "text", "--lm", "no-model"],
    ["translate", "-m", "builtin:en-ja", "-i", "text", "--lm", "builtin:en-ja"],
    ["translate", "-m", "builtin:en-ja", "-i", "text", "--lm-weight", "0.3"],
    ["translate", "-m", "builtin:en-ja", "-i", "text", "--terms", "text"],
    ["translate", "-m", "builtin:en-ja", "-i", "text", "--constraints", "text"],
    ["translate", "-m", "builtin:en-ja", "-i", "text", "--set", "search.samples=5"],
    ["evaluate", "-m", "builtin:en-ja", "-s", "text", "-r", "text", "--set", "search.top_k=5"],
    ["rescore", "-i", "text", "-w", "no-file"],
    ["rescore", "-i", "no-file", "-w", "weights.json"],
    ["rescore", "-i", "text", "-w", "weights.json", "--lm", "no-model"],
    ["rescore", "-i", "text", "-w", "weights.json"],
    ["rescore", "-i", "text", "-w", "text", "--tune", "text"],
    ["score", "-m", "no-model", "-s", "text", "-t", "text"],
    ["score", "-m", "builtin:en-ja", "-s", "text", "-t", "no-file"],
    ["score", "-m", "builtin:en-ja", "-s", "text", "-t", "text", "-o", "no-folder/out"],
    ["evaluate", "-m", "no-model", "-s", "text", "-r", "text"],
    ["evaluate", "-m", "builtin:en-ja", "-s", "no-file", "-r", "text"],
    ["evaluate", "-m", "builtin:en-ja", "-s", "text", "-r", "text", "-o", "no-folder/out"],
    ["evaluate", "-m", "builtin:en-ja", "-s", "text", "-r", "text", "--set", "search.beam_size=0"],
    ["evaluate", "-m", "builtin:en-ja", "-s", "text", "-r", "text", "--tokenize", "14a"],
    ["train", "-s", "text", "-t", "no-file"],
    ["train", "-s", "text", "-t", "text", "-o", "text"],
    ["train", "-s", "text", "-t", "text", "--set", "training.epohcs=1"],
    ["train", "run.toml", "--cell", "lstn"],
    ["train", "run.toml", "--set", "model.attention.name=bilinar"],
    ["train", "run.toml", "-o", "full"],
    ["train", "missing.toml"],
    ["prepare", "missing.toml"],
    ["quickstart", "--cell", "lstn", "-o", "new"],
    ["export", "-m", "no-model", "-o", "new"],
    ["export", "-m", "builtin:en-ja", "-o", "full"],
    ["export", "-m", "builtin:en-ja", "-o", "new", "-s", "no-file", "-t", "text"],
    ["compare", "run.toml", "--cells", "lstm,lstn"],
    ["compare", "run.toml", "--cells", "lstm,gru", "-o", "text"],
    ["compare", "missing.toml", "--cells", "lstm,gru"],
    ["probe", "--cells", "lstm,lstn", "-o", "new"],
    ["probe", "--lengths", "long", "-o", "new"],
    ["probe", "-o", "text"],
    ["leaderboard", "add", "board", "-m", "no-model"],
    ["leaderboard", "add", "board", "-m", "builtin:en-ja", "--fact", "size=3"],
    ["leaderboard", "add", "board", "-m", "builtin:en-ja", "--test-set", "other"],
    ["leaderboard", "add", "no-board", "-m", "builtin:en-ja"],
]
SCRIPT = """
import json, sys
from nmt_lstm.cli.app import main
{before}
results = []
for arguments in json.loads(sys.argv[1]):
    status = main(arguments)
    results.append((status, "torch" in sys.modules))
print(json.dumps(results))
"""


def run_commands(commands, folder, before=""):
    """The status of each command and whether torch is loaded after it, in one new process; and the lines on stderr."""
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(before=before), json.dumps(commands)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout.splitlines()[-1]), finished.stderr.splitlines()


def test_invalid_arguments_are_reported_before_torch_is_imported(tmp_path) -> None:
    (tmp_path / "text").write_text("a line\n" * 40)
    (tmp_path / "run.toml").write_text(RUN_FILE.format(valid="text"))
    (tmp_path / "missing.toml").write_text(RUN_FILE.format(valid="no-file"))
    (tmp_path / "weights.json").write_text('{"weights": {"lm": 0.5}}')
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("unrelated\n")
    init = ["leaderboard", "init", "board", "-s", "text", "-r", "text"]
    results, errors = run_commands([init, *INVALID], tmp_path)
    assert results[0] == [0, False]
    for arguments, (status, loaded) in zip(INVALID, results[1:], strict=True):
        assert status in (1, 2), arguments
        assert not loaded, arguments
    errors = [line for line in errors if line.startswith("nmt-lstm: error: ")]
    assert len(errors) == len(INVALID)
    assert not any("bug in nmt-lstm" in line for line in errors)


def test_the_check_above_can_fail(tmp_path) -> None:
    results, _ = run_commands([["config", "none.toml"]], tmp_path, "sys.modules['torch'] = sys")
    assert results == [[2, True]]


def test_a_model_named_twice_is_an_error_even_by_different_paths(tmp_path, monkeypatch, random_model_folder):
    monkeypatch.chdir(random_model_folder.parent)
    name = Path(random_model_folder.name)
    with pytest.raises(ConfigurationError, match="named twice") as caught:
        check_models([name, random_model_folder])
    assert caught.value.value == random_model_folder
    check_models([name, Path("builtin:en-ja")])


def test_tags_and_symbols_of_whole_words_are_known(tmp_path: Path) -> None:
    subwords = {"kind": "word", "casing": "markers", "user_defined_symbols": ["<2de>"]}
    run = make_run({"data": {"train_source": "a", "train_target": "b"}, "subwords": subwords})
    (tmp_path / "run.toml").write_text(dump_toml(run), encoding="utf-8")
    pairs = [("ein Hund", "a dog")] * 10
    train_subwords(lambda: pairs, run.subwords, len(pairs), 1).save(tmp_path)
    check_tag([tmp_path], "<2de>")
    with pytest.raises(ConfigurationError):
        check_tag([tmp_path], "<2fr>")
    check_keep_as([tmp_path], TextOptions(keep=["urls"], keep_as="Hund=dog"))
