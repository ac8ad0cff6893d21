"""Word vectors in text format, as word2vec, GloVe and fastText (.vec) write them: a word and its numbers on each line.

Files are read line by line, plain or compressed, in memory that depends on the vocabulary only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.errors import DataError
from nmt_lstm.plain_text import count_of
from nmt_lstm.text.line_decoding import DAMAGES
from nmt_lstm.text.piece_records import SPACE
from nmt_lstm.text.piece_words import PieceWords
from nmt_lstm.text.text_file import check_rereadable, open_bytes

__all__ = ["PieceVectors", "read_piece_vectors", "vector_width"]

MAX_LINE_BYTES = 1 << 20
MAX_LINES = 50_000_000
MAX_WIDTH = 65_536
# Lines at the beginning among which one must be a vector.
MAX_FIRST_LINES = 100
# In files whose words are SentencePiece's pieces.
ENCODED_SPACE = SPACE.encode()


@dataclass(frozen=True)
class PieceVectors:
    """The vectors of the pieces that a file has one for."""

    path: Path
    pieces: NDArray[np.int64]
    """(N,): their ids, in order."""
    vectors: NDArray[np.float32]
    """(N, width)."""
    lines: int
    """Lines of the file."""
    malformed: int
    """Lines that are not a word and a vector of the file's width, and were skipped."""
    first_malformed: int
    """The number of the first of them, from 1; 0 if there is none."""
    sha256: str
    """Of the uncompressed file."""

    def scaled(self, standard_deviation: float) -> tuple[NDArray[np.float32], float]:
        """Return the vectors with this root mean square of their values, and the factor that it takes."""
        root_mean_square = float(np.sqrt(np.mean(np.square(self.vectors, dtype=np.float64))))
        factor = standard_deviation / root_mean_square
        return self.vectors * np.float32(factor), factor


class _Line(NamedTuple):
    word: bytes
    numbers: bytes


def vector_width(path: Path) -> int:
    """Return the number of values of the vectors in a file.

    Raises:
        DataError: the file cannot be read, is a pipe, or none of its first lines is a word and numbers.
    """
    check_rereadable(path)
    with open_bytes(path) as file:
        return _width(path, file)


def _width(path: Path, file: BinaryIO) -> int:
    for line, _ in zip(_lines(path, file), range(MAX_FIRST_LINES), strict=False):
        fields = line.split()
        # Two whole numbers are a header: how many vectors there are, and their width.
        if len(fields) == 2 and all(field.isdigit() for field in fields):
            if 1 <= int(fields[1]) <= MAX_WIDTH:
                return int(fields[1])
        elif (
            2 <= len(fields) <= MAX_WIDTH + 1 and _values(b" ".join(fields[1:]), len(fields) - 1) is not None
        ):
            return len(fields) - 1
    raise DataError(
        f"'{path}' has no word vectors in text format: none of its first lines is a word and numbers. Convert binary files "
        f"to text first.",
        path=path,
    )


def read_piece_vectors(path: Path, words: PieceWords) -> PieceVectors:
    """Return the vectors of the pieces of a vocabulary.

    Args:
        path: a file in text format, with or without a header; plain, .gz, .xz, .bz2 or .zst.
        words: the words whose vectors the pieces can have.

    Raises:
        DataError: the file cannot be read, has too many lines, or has no vector for any piece.
    """
    width = vector_width(path)
    # By the id of a piece: the preference of the word, and its vector.
    chosen: dict[int, tuple[int, NDArray[np.float32]]] = {}
    count = malformed = first_malformed = 0
    has_spaces = False
    digest = hashlib.sha256()
    with open_bytes(path) as file:
        for count, line in enumerate(_lines(path, file), 1):
            digest.update(line)
            parts = _parts(line, width)
            if parts is None:
                if not (count == 1 and _is_header(line)):
                    malformed += 1
                    first_malformed = first_malformed or count
                continue
            has_spaces = has_spaces or parts.word.startswith(ENCODED_SPACE)
            wanted = words.pieces_of(parts.word.decode("utf-8", "replace"))
            if not wanted:
                continue
            vector = _values(parts.numbers, width)
            if vector is None:
                malformed += 1
                first_malformed = first_malformed or count
                continue
            for preference, piece in wanted:
                # Of equal words the first counts, which is the most frequent one in the usual order.
                if piece not in chosen or preference < chosen[piece][0]:
                    chosen[piece] = preference, vector
    if not has_spaces:
        # In a file of whole words, a piece within words has only a word's vector that looks like it.
        chosen = {piece: choice for piece, choice in chosen.items() if piece not in words.within_words}
    if not chosen:
        raise DataError(
            f"'{path}' has no vector for any piece of the vocabulary; is it for a different language?",
            path=path,
        )
    if not any(vector.any() for _, vector in chosen.values()):
        raise DataError(
            f"'{path}' has a vector for {count_of(len(chosen), 'piece')} of the vocabulary, but only of zeros; name a complete "
            f"file.",
            path=path,
        )
    pieces = sorted(chosen)
    return PieceVectors(
        path,
        np.array(pieces, dtype=np.int64),
        np.stack([chosen[piece][1] for piece in pieces]),
        count,
        malformed,
        first_malformed,
        digest.hexdigest(),
    )


def _lines(path: Path, file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of an open file; of a line that is too long only the beginning."""
    try:
        for _ in range(MAX_LINES):
            line = file.readline(MAX_LINE_BYTES)
            if not line:
                return
            rest = line
            while len(rest) == MAX_LINE_BYTES and not rest.endswith(b"\n"):
                rest = file.readline(MAX_LINE_BYTES)
            yield line
    except DAMAGES as error:
        raise DataError(f"cannot read '{path}': {error}.", path=path) from None
    raise DataError(f"'{path}' has more than {MAX_LINES:,} lines; remove rare words first.", path=path)


def _is_header(line: bytes) -> bool:
    fields = line.split()
    return len(fields) == 2 and all(field.isdigit() for field in fields)


def _parts(line: bytes, width: int) -> _Line | None:
    """Return the word and the numbers of a line; None if it does not have as many fields."""
    line = line.rstrip().replace(b"\t", b" ")
    spaces = line.count(b" ")
    if spaces == width:
        word, _, numbers = line.partition(b" ")
    elif spaces > width:  # a word with spaces
        fields = line.split(b" ")
        word, numbers = b" ".join(fields[:-width]), b" ".join(fields[-width:])
    else:
        return None
    return _Line(word, numbers) if word and not _is_header(line) else None


def _values(numbers: bytes, width: int) -> NDArray[np.float32] | None:
    try:
        with np.errstate(over="ignore"):
            values = np.array(numbers.split(), dtype=np.float64).astype(np.float32)
    except ValueError:
        return None
    return values if values.shape == (width,) and np.isfinite(values).all() else None
