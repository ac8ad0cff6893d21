"""Text on the command line: several files of each side, tab-separated files, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt_lstm.cli.strict_options import make_strict
from nmt_lstm.cli.text_options import text_files, text_overrides
from nmt_lstm.errors import ConfigurationError

A, B = Path("a.tsv.gz"), Path("b.tsv")


def test_tab_separated_files_are_columns_of_both_sides() -> None:
    texts = text_files(None, None, None, None, tsv=[A, B], columns="2, 4")
    assert texts["train_source"] == (Path("a.tsv.gz:2"), Path("b.tsv:2"))
    assert texts["train_target"] == (Path("a.tsv.gz:4"), Path("b.tsv:4"))
    assert text_overrides(texts) == [
        'data.train_source=["a.tsv.gz:2", "b.tsv:2"]',
        'data.train_target=["a.tsv.gz:4", "b.tsv:4"]',
    ]
    assert text_overrides(text_files([A], [B], None, None, tsv=None, columns=None)) == [
        "data.train_source=a.tsv.gz",
        "data.train_target=b.tsv",
    ]


@pytest.mark.parametrize(
    ("source", "tsv", "columns", "words"),
    [
        (None, None, "1,2", "--tsv"),
        ([A], [B], None, "-s"),
        (None, [A], "1", "--columns"),
        (None, [A], "2,2", "different"),
        (None, [A], "0,1", "from 1"),
    ],
)
def test_contradictions_are_refused(source, tsv, columns, words) -> None:
    with pytest.raises(ConfigurationError, match=words):
        text_files(source, None, None, None, tsv=tsv, columns=columns)


def parse(*arguments):
    """The files and the run file that ``train`` gets."""
    import typer

    from nmt_lstm.cli.app import app

    command = typer.main.get_command(app)
    make_strict(command)
    train = command.commands["train"]
    context = train.make_context("train", [str(each) for each in arguments])
    return context.params["source"], context.params["target"], context.params["run_file"]


@pytest.mark.parametrize(
    ("arguments", "sources", "targets", "run_file"),
    [
        (("-s", "a", "b", "-t", "c", "d"), ["a", "b"], ["c", "d"], None),
        (("-s", "a", "-s", "b", "-t", "c", "-t", "d"), ["a", "b"], ["c", "d"], None),
        (("-s", "a", "b", "-t", "c", "d", "run.toml"), ["a", "b"], ["c", "d"], "run.toml"),
        (("run.toml", "--source=a", "b", "-t", "c", "-o", "x"), ["a", "b"], ["c"], "run.toml"),
    ],
)
def test_an_option_takes_several_files(arguments, sources, targets, run_file) -> None:
    found = parse(*arguments)
    assert found[:2] == ([Path(each) for each in sources], [Path(each) for each in targets])
    assert found[2] == (run_file and Path(run_file))


def test_a_different_number_of_files_is_named(command, tmp_path) -> None:
    finished = command("train", "-s", "a.de", "b.de", "-t", "a.en", "-o", "out")
    assert finished.status == 2
    assert "-s has 2 files, but -t has 1" in finished.error


def test_several_files_are_trained_on_together(command, fit_calls, parallel_files, tmp_path) -> None:
    for side in ("src", "tgt"):
        lines = (parallel_files.folder / f"train.{side}").read_text().splitlines(keepends=True)
        (tmp_path / f"one.{side}").write_text("".join(lines[:100]))
        (tmp_path / f"two.{side}").write_text("".join(lines[100:]))
    finished = command("train", "-s", "one.src", "two.src", "-t", "one.tgt", "two.tgt", "-o", "out")
    assert finished.status == 0, finished.err
    assert "20 of 400 pairs are held out" in finished.err
    (corpus,) = fit_calls[0][0].data.training_corpora()
    assert [path.name for path in corpus.sides()[0]] == ["one.src", "two.src"]
