"""Vectors are found for pieces in files of all formats, and what is malformed is counted."""

from __future__ import annotations

import gzip
import lzma

import numpy as np
import pytest

from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.errors import DataError
from nmt_lstm.text import word_vectors as module
from nmt_lstm.text.piece_words import PieceWords
from nmt_lstm.text.subwords import train_subwords
from nmt_lstm.text.vocabulary import Vocabulary
from nmt_lstm.text.word_vectors import read_piece_vectors, vector_width


def learnt(**options: object) -> Vocabulary:
    """A vocabulary of words."""
    lines = ["Hund und Katze .", "ein Hund , USA"] * 20
    settings = SubwordSettings(kind="word", **options)
    return train_subwords(lambda: list(zip(lines, lines, strict=True)), settings, 40, seed=1).source


VOCABULARY = learnt()
LINES = "Hund 1 2\nkatze 3 4\n. 5 6\nhund 9 9\nHaus 7 8\n"


def found(text: str, tmp_path, vocabulary: Vocabulary = VOCABULARY) -> dict[str, list[float]]:
    """The vectors of pieces in a file with this text."""
    (tmp_path / "vectors").write_text(text, "utf-8")
    vectors = read_piece_vectors(tmp_path / "vectors", PieceWords(vocabulary))
    return dict(zip(vocabulary.pieces(vectors.pieces), vectors.vectors.tolist(), strict=True))


@pytest.mark.parametrize(
    "text",
    [
        LINES,
        "5 2\n" + LINES,
        LINES.replace("\n", " \n"),
        LINES.replace(" ", "\t"),
        "\ufeff 0 0\n" + LINES,
        LINES.replace("\n", "\r\n"),
    ],
)
def test_pieces_get_the_vectors_of_their_words(tmp_path, text) -> None:
    assert found(text, tmp_path) == {"▁Hund": [1, 2], "▁Katze": [3, 4], "▁.": [5, 6]}


def test_a_word_as_it_is_comes_before_lower_case_and_the_first_of_equal_ones_counts(tmp_path) -> None:
    assert found("hund 1 1\nHund 2 2\nHund 3 3\nkatze 4 4\nkatze 5 5\n", tmp_path) == {
        "▁Hund": [2, 2],
        "▁Katze": [4, 4],
    }


def test_pieces_in_lower_case_find_words_in_title_and_upper_case(tmp_path) -> None:
    vocabulary = learnt(casing="markers")
    assert found("Hund 1 1\nUSA 2 2\nund 3 3\nUnd 4 4\n", tmp_path, vocabulary) == {
        "▁hund": [1, 1],
        "▁usa": [2, 2],
        "▁und": [3, 3],
    }


def test_pieces_within_words_have_vectors_only_in_files_of_pieces(tmp_path) -> None:
    lines = ["ab abab baba", "abba ab"] * 30
    settings = SubwordSettings(kind="character")
    vocabulary = train_subwords(lambda: list(zip(lines, lines, strict=True)), settings, 60, seed=1).source
    with pytest.raises(DataError, match="no vector"):
        found("a 1 1\nb 2 2\n", tmp_path, vocabulary)
    assert found("a 1 1\n▁ab 3 3\n", tmp_path, vocabulary) == {"a": [1, 1]}


def test_what_is_malformed_is_counted_and_skipped(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 30)
    text = (
        "6 2\nHund 1 2\n\nKatze 1\nKatze x y\nKatze nan 1\nein 1e999 0\n, , 3 4\nlong "
        + "9 " * 40
        + "\n. 5 6"
    )
    path = tmp_path / "vectors"
    path.write_bytes(text.encode() + b"\n\xff\xfe 1 2\n")
    vectors = read_piece_vectors(path, PieceWords(VOCABULARY))
    assert VOCABULARY.pieces(vectors.pieces) == ["▁Hund", "▁."]
    assert (vectors.lines, vectors.malformed, vectors.first_malformed) == (11, 5, 3)


@pytest.mark.parametrize(("suffix", "module"), [(".gz", gzip), (".xz", lzma)])
def test_compressed_files_are_read(tmp_path, suffix, module) -> None:
    path = tmp_path / f"vectors{suffix}"
    with module.open(path, "wt", encoding="utf-8") as file:
        file.write(LINES)
    assert len(read_piece_vectors(path, PieceWords(VOCABULARY)).pieces) == 3


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\x01\x02\n" * 5, b"5 2\n"[:0] + b"word\n" * 200])
def test_files_without_vectors_are_refused(tmp_path, content) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(content)
    with pytest.raises(DataError, match="text format") as caught:
        vector_width(path)
    assert caught.value.path == path


def test_files_of_other_words_and_missing_files_are_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="different language"):
        found("犬 1 2\n", tmp_path)
    with pytest.raises(DataError, match="zeros"):
        found("Hund 0 0\n", tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        vector_width(tmp_path / "none")


def test_too_many_lines_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "MAX_LINES", 4)
    with pytest.raises(DataError, match="more than 4 lines"):
        found(LINES, tmp_path)


def test_vectors_are_scaled_to_a_root_mean_square(tmp_path) -> None:
    (tmp_path / "vectors").write_text(LINES, "utf-8")
    vectors = read_piece_vectors(tmp_path / "vectors", PieceWords(VOCABULARY))
    values, factor = vectors.scaled(0.5)
    assert np.sqrt((values**2).mean()) == pytest.approx(0.5)
    assert values[0, 0] == pytest.approx(factor)


def test_vectors_of_zeros_are_refused_as_such(tmp_path) -> None:
    path = tmp_path / "vectors"
    path.write_text("Hund 0 0\n. 0 0\n")
    with pytest.raises(DataError, match="2 pieces .* zeros"):
        read_piece_vectors(path, PieceWords(VOCABULARY))
