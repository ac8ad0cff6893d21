"""``prepare``: its summary, and errors that name the file and the line of invalid text."""

from __future__ import annotations

import gzip
import re

import pytest

from nmt_lstm.config.load import load_run
from nmt_lstm.text.held_out import with_validation_text
from nmt_lstm.text.preparation import prepare


@pytest.fixture
def run_file(parallel_files, tmp_path):
    """A run file for copies of the test corpus, which a test may change."""
    for file in parallel_files.folder.glob("*.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "run.toml"
    path.write_text(
        '[data]\ntrain_source = "train.src"\ntrain_target = "train.tgt"\n'
        'valid_source = "valid.src"\nvalid_target = "valid.tgt"\n[subwords]\nvocabulary_size = 320\n'
    )
    return path


def test_the_summary_counts_pairs_and_pieces_and_names_the_next_command(command, run_file, tmp_path):
    with (tmp_path / "train.src").open("a") as source, (tmp_path / "train.tgt").open("a") as target:
        source.write("\nzwei\n")
        target.write("two\n \n")
    finished = command("prepare", "run.toml")
    assert finished.status == 0, finished.err
    assert "402 training pairs read, 400 kept; left out: 2 empty" in finished.err
    assert "40 validation pairs" in finished.err
    assert re.search(r"^\d+ subword pieces shared by both languages$", finished.err, re.MULTILINE)
    assert f"Written to {tmp_path}/prepared/" in finished.err
    assert finished.err.endswith("\n  nmt-lstm train run.toml\n")
    assert finished.out == b""
    assert "Cached in" in command("prepare", "run.toml").err
    separate = ("--set", "subwords.joint=false", "--set", "model.tied_embeddings=target")
    finished = command("prepare", "run.toml", *separate)
    assert re.search(r"^\d+ source and \d+ target subword pieces$", finished.err, re.MULTILINE)


def spoil_length(folder):
    with (folder / "train.src").open("a") as file:
        file.write("one more line\n")


def spoil_encoding(folder):
    with (folder / "valid.src").open("ab") as file:
        file.write(b"caf\xe9\n")
    with (folder / "valid.tgt").open("ab") as file:
        file.write(b"coffee\n")


def spoil_compression(folder):
    (folder / "train.src.gz").write_bytes(gzip.compress((folder / "train.src").read_bytes())[:-20])


@pytest.mark.parametrize(
    ("spoil", "settings", "words"),
    [
        (spoil_length, [], ["train.src' has 401 lines", "train.tgt' has 400", "line 400"]),
        (spoil_encoding, [], ["valid.src' is not UTF-8 at line 41, byte 4", "0xe9"]),
        (lambda folder: (folder / "train.tgt").unlink(), [], ["train.tgt' does not exist"]),
        (lambda folder: (folder / "train.tgt").write_text(""), [], ["has 400 lines", "train.tgt' has 0"]),
        (lambda folder: None, ["data.train_source=."], ["is a folder"]),
        (spoil_compression, ["data.train_source=train.src.gz"], ["train.src.gz"]),
        (lambda folder: None, ["data.prepared=run.toml"], ["run.toml"]),
        (lambda folder: None, ["data.cleaning.max_pieces=2"], ["all 400 training pairs"]),
    ],
)
def test_invalid_text_is_one_line_with_the_file_and_the_line(
    command, run_file, tmp_path, spoil, settings, words
):
    spoil(tmp_path)
    finished = command("prepare", "run.toml", *[word for each in settings for word in ("--set", each)])
    assert finished.status == 1
    error = finished.err.splitlines()[-1]
    assert error.startswith("nmt-lstm: error: ")
    assert "Traceback" not in finished.err
    for word in words:
        assert word in error


def test_held_out_text_is_the_same_as_in_training(command, run_file, tmp_path):
    run_file.write_text(
        '[data]\ntrain_source = "train.src"\ntrain_target = "train.tgt"\n[subwords]\nvocabulary_size = 320\n'
    )
    finished = command("prepare", "run.toml")
    assert finished.status == 0, finished.err
    assert "20 of 400 pairs are held out" in finished.err
    assert "400 training pairs read, 380 kept" in finished.err
    run, held_out = with_validation_text(load_run(run_file), tmp_path / "trained", reuse=False)
    held_out.write()
    assert prepare(run).reused
