"""The board: adding, removing and comparing systems from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt_lstm import Leaderboard
from nmt_lstm.errors import ConfigurationError, DataError, ResourceError

from .conftest import lines_of, write


def test_paths_are_stored_relative_to_the_board(texts, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(texts.folder)
    Leaderboard.create(tmp_path / "deep" / "board", {"x": {"source": "test.de", "references": ["test.en"]}})
    monkeypatch.chdir("/")
    text = (tmp_path / "deep" / "board" / "board.toml").read_text()
    assert 'source = "../../texts/test.de"' in text
    assert len(Leaderboard(tmp_path / "deep" / "board").test_sets.get("x").sources) == 40


def test_existing_boards_and_missing_files_are_rejected(empty_board, texts, tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="already contains a board"):
        Leaderboard.create(empty_board.folder, {"x": {"sacrebleu": "wmt17/en-de"}})
    with pytest.raises(DataError, match="none.en' does not exist"):
        Leaderboard.create(
            tmp_path / "new", {"x": {"source": texts.source, "references": [tmp_path / "none.en"]}}
        )
    assert not (tmp_path / "new").exists()
    with pytest.raises(ConfigurationError, match="Did you mean 'references'"):
        Leaderboard.create(tmp_path / "new", {"x": {"source": texts.source, "referenc": []}})


def test_a_board_that_cannot_be_created_is_a_resource_error(texts, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    table = {"x": {"source": texts.source, "references": [texts.reference]}}
    with pytest.raises(ResourceError, match="cannot create board"):
        Leaderboard.create(tmp_path / "file" / "board", table)


def test_a_row_contains_texts_languages_and_versions(board, texts) -> None:
    row = board.current()[0]
    assert (row.system, row.test_set, row.sentences) == ("good", "numbers", 40)
    assert (row.source_language, row.target_language, row.tokenize) == ("de", "en", "13a")
    assert row.scored_with.keys() == {"nmt-lstm", "sacrebleu"}
    assert row.facts.toolkit == ""
    assert board.files.text(row.hypotheses) == lines_of(texts.good)
    assert board.files.text(row.references[0]) == lines_of(texts.reference)


def test_an_output_may_be_lines_with_facts(empty_board, texts) -> None:
    lines = [f"{line}\n" for line in lines_of(texts.good)]
    (row,) = empty_board.add("x", hypotheses=lines, facts={"toolkit": "marian", "parameters": 60_000_000})
    assert (row.facts.toolkit, row.facts.parameters, row.facts.seed) == ("marian", 60_000_000, None)
    assert empty_board.files.text(row.hypotheses) == lines_of(texts.good)


def test_ambiguous_additions_are_rejected(empty_board, texts) -> None:
    with pytest.raises(ConfigurationError, match="give either a model folder or hypotheses"):
        empty_board.add("x")
    with pytest.raises(ConfigurationError, match="hypotheses need the name"):
        empty_board.add(hypotheses=texts.good)
    with pytest.raises(ConfigurationError, match="not a valid system name"):
        empty_board.add("a\nb", hypotheses=texts.good)
    with pytest.raises(ConfigurationError, match="name one of numbers"):
        empty_board.add("x", hypotheses=texts.good, test_set=["a", "b"])
    with pytest.raises(ConfigurationError, match="Did you mean 'numbers'"):
        empty_board.add("x", hypotheses=texts.good, test_set="number")


def test_unknown_metrics_test_sets_and_baselines_are_rejected(board) -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'bleu'"):
        board.rows(metric="blue")
    with pytest.raises(ConfigurationError, match="has no test set 'x'"):
        board.rows("x")
    with pytest.raises(ConfigurationError, match="Did you mean 'good'.* Known: bad, good"):
        board.rows(baseline="god")


def test_a_removed_system_remains_in_the_file(board, texts) -> None:
    board.remove("bad")
    assert [row.system for row in board.current()] == ["good", "similar"]
    assert len(board.files.records()) == 4
    with pytest.raises(ConfigurationError, match="has no system 'bad'"):
        board.remove("bad")
    board.add("bad", hypotheses=texts.bad)
    assert len(board.current()) == 3
    with pytest.raises(ConfigurationError, match="'numbers' of board .* 'best'"):
        board.remove("best", "numbers")
    with pytest.raises(ConfigurationError, match="has no test set 'other'"):
        board.remove("bad", "other")


def test_two_systems_are_compared_sentence_by_sentence(board, texts) -> None:
    result = board.compare("good", "bad", sentences=4)
    assert set(result.comparisons) == {"bleu", "chrf", "chrf++", "ter"}
    assert result.comparisons["bleu"].significant
    assert result.comparisons["ter"].difference < 0
    assert len(result.sentences) == 4
    first = result.sentences[0]
    assert first.source == lines_of(texts.source)[first.line - 1]
    assert first.hypothesis == lines_of(texts.good)[first.line - 1]
    assert first.other_hypothesis == lines_of(texts.bad)[first.line - 1]


def test_incomparable_systems_are_rejected_with_the_reason(board, texts) -> None:
    write(texts.reference, [f"{line} Indeed." for line in lines_of(texts.reference)])
    other = Leaderboard(board.folder)
    other.add("late", hypotheses=texts.bad)
    with pytest.raises(DataError, match=r"'late' has references \w+, not"):
        other.compare("late", "good")
    assert [len(ranking.rows) for ranking in other.rankings()] == [3, 1]
    assert "references" in other.rankings()[1].apart[0]
    with pytest.raises(ConfigurationError, match="has no system 'god'"):
        other.compare("god", "good")


def test_systems_must_share_one_test_set(texts, tmp_path) -> None:
    table = {"source": texts.source, "references": [texts.reference]}
    board = Leaderboard.create(tmp_path / "b", {"one": table, "two": table})
    board.add("a", hypotheses=texts.good, test_set="one")
    board.add("b", hypotheses=texts.bad, test_set="two")
    with pytest.raises(ConfigurationError, match="0 test sets in common"):
        board.compare("a", "b")
    board.add("a", hypotheses=texts.good, test_set="two")
    board.add("b", hypotheses=texts.bad, test_set="one")
    with pytest.raises(ConfigurationError, match=r"2 test sets in common \(one, two\)"):
        board.compare("a", "b")
    assert board.compare("a", "b", test_set="two").comparisons["bleu"].significant
    assert [ranking.test_set for ranking in board.rankings()] == ["one", "two"]
    assert [row.row.system for row in board.rows("one")] == ["a", "b"]


def test_rows_of_a_removed_test_set_remain(board, texts) -> None:
    path = board.folder / "board.toml"
    path.write_text(path.read_text().replace("[test_sets.numbers]", "[test_sets.renamed]"))
    assert [row.row.test_set for row in Leaderboard(board.folder).rows()] == ["numbers"] * 3


def test_rows_can_be_shown_without_the_files_of_the_test_set(board, texts) -> None:
    texts.source.unlink()
    texts.reference.unlink()
    again = Leaderboard(board.folder)
    assert len(again.rows()) == 3
    assert again.compare("good", "bad").sentences
    with pytest.raises(DataError, match="'numbers': .* does not exist"):
        again.add("x", hypotheses=texts.good)


def test_a_board_without_copies_reads_the_original_files(texts, tmp_path) -> None:
    table = {"source": texts.source, "references": [texts.reference]}
    board = Leaderboard.create(tmp_path / "b", {"numbers": table}, copy_test_sets=False)
    for each in (texts.good, texts.bad):
        board.add(each.stem, hypotheses=each)
    rows = board.current()
    assert board.files.texts() == {row.hypotheses for row in rows}
    again = Leaderboard(board.folder)
    assert again.rescore() == []
    assert again.verify().problems == []
    assert again.compare("good", "bad").sentences
    assert again.rescore(update=True) == []
    assert again.files.texts() == {row.hypotheses for row in rows}
    # Scores need no text if the counts per sentence are cached.
    shown = [each.score.value for each in again.rows()]
    texts.reference.unlink()
    without_text = Leaderboard(board.folder)
    assert [each.score.value for each in without_text.rows()] == shown
    with pytest.raises(
        DataError,
        match="does not exist.* The board has no copy",
    ):
        without_text.rescore()
    texts.reference.write_text("another\n" * 40)
    other = Leaderboard(board.folder)
    with pytest.raises(DataError, match=f"{rows[0].references[0]}.txt' is missing"):
        other.rescore()


def test_several_references_are_scored_together(texts, tmp_path) -> None:
    table = {"source": texts.source, "references": [texts.reference, texts.similar]}
    board = Leaderboard.create(tmp_path / "b", {"two": table})
    (row,) = board.add("x", hypotheses=texts.similar)
    assert row.scores["bleu"].value == pytest.approx(100)
    assert "nrefs:2|" in row.scores["bleu"].signature
    assert len(row.references) == 2


def test_the_folder_may_be_a_path_or_a_string(board) -> None:
    assert Leaderboard(str(board.folder)).current() == Leaderboard(Path(board.folder)).current()
