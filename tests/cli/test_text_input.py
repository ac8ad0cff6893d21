"""Text that is read line by line: empty input, tables that were taken for text, and columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt_lstm.cli.text_input import checked_text

TEXT = ["a dog"] * 30
ROWS = ["a dog\tein Hund"] * 30


@pytest.mark.parametrize(
    ("lines", "warns"),
    [
        (TEXT, False),
        (ROWS, True),
        (ROWS[:2], True),
        (ROWS[:1], False),  # a single line does not tell
        ([*ROWS[:10], *TEXT], False),
        ([*ROWS[:11], *TEXT], True),
        ([*TEXT, *ROWS], False),
    ],
)
def test_a_table_is_recognised_by_its_first_lines(caplog, lines, warns) -> None:
    assert list(checked_text(lines, Path("pairs.tsv"), "translate")) == lines
    assert [record.levelname for record in caplog.records] == ["WARNING"] * warns
    assert ("pairs.tsv:1" in caplog.text) is warns


def test_of_a_stream_the_column_is_cut(caplog) -> None:
    list(checked_text(ROWS, None, "translate"))
    assert "cut -f 1" in caplog.text


def test_a_warning_comes_before_the_end(caplog) -> None:
    lines = checked_text(iter(ROWS), None, "translate")
    for _ in range(20):
        next(lines)
    assert "tabs" in caplog.text


@pytest.mark.parametrize(
    "arguments",
    [
        ("generate", "-m", "language", "-i", "empty"),
        ("generate", "-m", "language", "-i", "empty", "--next", 3),
        ("score", "-m", "language", "-s", "empty"),
        ("score", "-m", "translation", "-s", "empty", "-t", "empty"),
        ("translate", "-m", "translation", "-i", "empty"),
        ("translate", "-m", "translation", "-i", "empty", "--format", "html"),
        ("rescore", "-w", "weights", "-i", "empty"),
    ],
)
def test_empty_input_makes_empty_output_with_a_warning(
    command, language_model_folder, random_model_folder, tmp_path, arguments
) -> None:
    (tmp_path / "language").symlink_to(language_model_folder)
    (tmp_path / "translation").symlink_to(random_model_folder)
    (tmp_path / "empty").write_text("")
    (tmp_path / "weights").write_text('{"weights": {"score": 1.0, "length": 0.0}}')
    finished = command(*arguments)
    assert (finished.status, finished.text) == (0, "")
    assert "'empty' is empty" in finished.err


def test_blank_lines_have_scores_but_no_perplexity(command, language_model_folder, tmp_path) -> None:
    (tmp_path / "blank").write_text("\n\n")
    finished = command("score", "-m", language_model_folder, "-s", "blank")
    assert (finished.status, len(finished.lines)) == (0, 2)
    assert "perplexity" in finished.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("score", "-m", "translation", "-s", "pairs.tsv:1", "-t", "pairs.tsv:2"),
        ("translate", "-m", "translation", "-i", "pairs.tsv:1"),
        ("translate", "-m", "translation", "-i", "pairs.tsv:1", "--resume", "-o", "out"),
        ("evaluate", "-m", "translation", "-s", "pairs.tsv:1", "-r", "pairs.tsv:2", "-o", "out"),
        ("generate", "-m", "language", "-i", "pairs.tsv:1", "--max-pieces", 3),
        ("evaluate", "-m", "language", "-s", "pairs.tsv:1"),
    ],
)
def test_a_column_is_read_like_a_file_of_it(
    command, language_model_folder, random_model_folder, tmp_path, arguments
) -> None:
    (tmp_path / "language").symlink_to(language_model_folder)
    (tmp_path / "translation").symlink_to(random_model_folder)
    (tmp_path / "pairs.tsv").write_text("one two\tthree\n\tone\ntwo three\tone .\n")
    (tmp_path / "1").write_text("one two\n\ntwo three\n")
    (tmp_path / "2").write_text("three\none\none .\n")

    def output(*given: object) -> str:
        finished = command(*given)
        assert finished.status == 0, finished.err
        return (tmp_path / "out").read_text() if "out" in given else finished.text

    of_column = output(*arguments)
    (tmp_path / "out").unlink(missing_ok=True)
    for path in tmp_path.glob("out.parts"):
        path.rename(tmp_path / "old.parts")
    files = [str(each).removeprefix("pairs.tsv:") for each in arguments]
    assert of_column == output(*files)


def test_a_line_with_an_unusual_number_of_columns_is_blank_or_refused(
    command, random_model_folder, tmp_path
) -> None:
    (tmp_path / "pairs.tsv").write_text("one\ttwo\n" * 10 + "one\ttwo\tthree\n")
    translated = command("translate", "-m", random_model_folder, "-i", "pairs.tsv:1")
    assert translated.lines[10] == ""
    assert "line 11 has 3" in translated.err
    scored = command("score", "-m", random_model_folder, "-s", "pairs.tsv:1", "-t", "pairs.tsv:2")
    assert scored.status == 1
    assert "line 11 has 3" in scored.error


def test_the_file_of_a_column_is_not_overwritten(command, random_model_folder, tmp_path) -> None:
    (tmp_path / "pairs.tsv").write_text("one\ttwo\n")
    finished = command("translate", "-m", random_model_folder, "-i", "pairs.tsv:1", "-o", "pairs.tsv")
    assert finished.status == 1
    assert (tmp_path / "pairs.tsv").read_text() == "one\ttwo\n"
