"""A vocabulary: splits the text of one side into the ids of pieces, and joins them to text again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path

import sentencepiece

from nmt_lstm.errors import DataError
from nmt_lstm.files.regular import MAX_LIST_BYTES, read_regular
from nmt_lstm.text.invisible_characters import invisible_characters
from nmt_lstm.text.lines import single_line
from nmt_lstm.text.piece_lists import piece_list
from nmt_lstm.text.piece_records import SPACE, user_defined_symbols
from nmt_lstm.text.special_pieces import BEGIN, END, PAD, SPECIAL_PIECES, UNKNOWN
from nmt_lstm.text.subword_sampling import PieceSampler
from nmt_lstm.text.text_form import TextForm
from nmt_lstm.text.written_pieces import shown_piece

__all__ = ["Vocabulary"]


PLAIN = TextForm()


class Vocabulary:
    """The subword pieces of one side: splits text into the ids of pieces, and joins them to text again.

    Args:
        model: a serialised SentencePiece model.
        form: how text is written before it is split, as the text that the pieces were learnt from.

    Raises:
        DataError: the bytes are not a SentencePiece model, or its special pieces have different ids.
    """

    def __init__(self, model: bytes, *, form: TextForm = PLAIN) -> None:
        self._model = model
        if not model:
            # SentencePiece would take empty bytes as "load one later".
            raise DataError("it is empty, not a SentencePiece model.")
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        except (RuntimeError, OSError) as error:
            # SentencePiece's own message names a line of its source.
            raise DataError("it is not a SentencePiece model, or is damaged.") from error
        processor = self._processor
        special = (processor.pad_id(), processor.unk_id(), processor.bos_id(), processor.eos_id())
        if special != SPECIAL_PIECES:
            raise DataError(
                f"the SentencePiece model has the ids {special} for pad, unk, bos and eos; nmt-lstm needs {SPECIAL_PIECES}. "
                f"Train it with pad_id={PAD}, unk_id={UNKNOWN}, bos_id={BEGIN}, eos_id={END}."
            )
        self._list = piece_list(model, self.pieces(range(self.size)))

        self._form = form

    @cached_property
    def whole_pieces(self) -> tuple[str, ...]:
        """The pieces that are never split or merged, as SentencePiece writes them."""
        return user_defined_symbols(self._model)

    @cached_property
    def form(self) -> TextForm:
        """How text is written before it is split."""
        return self._form.with_symbols(self.whole_pieces)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The user-defined symbols: each is always one piece, in any text."""
        return self.form.symbols

    def __reduce__(self) -> tuple[Callable[[], Vocabulary], tuple[()]]:
        """Pickle the arguments of the constructor."""
        return partial(type(self), self._model, form=self._form), ()

    @classmethod
    def load(cls, path: Path, *, form: TextForm = PLAIN) -> Vocabulary:
        """Return the vocabulary in the file `path`.

        Raises:
            DataError: the file cannot be read or is not a SentencePiece model.
        """
        try:
            return cls(read_regular(path, MAX_LIST_BYTES), form=form)
        except OSError as error:
            raise DataError(f"cannot read the vocabulary '{path}': {error.strerror}.", path=path) from None
        except DataError as error:
            raise DataError(f"cannot use the vocabulary '{path}': {error}", path=path) from None

    def save(self, path: Path) -> None:
        """Write the SentencePiece model to `path`."""
        path.write_bytes(self._model)

    @property
    def size(self) -> int:
        """Number of pieces, special ones included."""
        return int(self._processor.vocab_size())

    @cached_property
    def fingerprint(self) -> str:
        """A hexadecimal digest of the model and of the form that it needs: equal for equal vocabularies."""
        form = " ".join(self.form.added_symbols)  # empty for text as it is
        return hashlib.blake2b(self._model + form.encode(), digest_size=16).hexdigest()

    def symbol_piece(self, symbol: str) -> int | None:
        """Return the id of a user-defined symbol; None if the vocabulary does not have it."""
        # As a whole word, a symbol has a space before it.
        written = SPACE + symbol if self.form.split_words else symbol
        return int(self._processor.piece_to_id(written)) if written in self.whole_pieces else None

    def encode(self, line: str) -> list[int]:
        """Return the ids of the pieces of a line; control characters count as spaces."""
        return self.encode_lines([line])[0]

    def encode_lines(self, lines: Sequence[str]) -> list[list[int]]:
        """Return the ids of the pieces of each line, as `encode` does."""
        if self._list is not None:
            return [self._list.encode(self.form.write(line)) for line in lines]
        # One call is faster than one per line; one thread, because the network needs the other cores.
        return [
            list(ids)
            for ids in self._processor.encode([self.form.write(line) for line in lines], num_threads=1)
        ]

    def sampler(self, kind: str, alpha: float) -> Callable[[str, int], list[int]]:
        """Return a function that samples a segmentation (Kudo 2018; Provilkov et al. 2020) of a line for a seed.

        The same line and seed have the same ids in every process.

        Args:
            kind: "unigram" or "bpe", as the vocabulary was learnt.
            alpha: smoothing of the unigram lattice, or the dropout of BPE merges.
        """
        if self._list is not None:
            return lambda line, _: self.encode(line)  # words and characters are split in one way only
        sampler = PieceSampler(self._processor, bpe=kind == "bpe", alpha=alpha, symbols=self.whole_pieces)
        return lambda line, seed: sampler.sample(self.form.write(line), seed)

    def byte_share(self, ids: Sequence[int]) -> float:
        """Return the share of pieces that are bytes, which spell characters without a piece; 0 if there are no pieces."""
        return sum(self._processor.is_byte(int(piece)) for piece in ids) / max(1, len(ids))

    @cached_property
    def own_texts(self) -> tuple[str, ...]:
        """The pieces that are neither special nor bytes nor symbols: those that were learnt."""
        numbers = [piece for piece in range(self.size) if piece not in SPECIAL_PIECES]
        learnt = [piece for piece in numbers if not self._processor.is_byte(piece)]
        symbols = frozenset(self.whole_pieces)
        return tuple(piece for piece in self.pieces(learnt) if piece not in symbols)

    def unknown_invisible(self, line: str) -> list[str]:
        """Return the special spaces and zero-width characters of a line that are neither normalised nor known.

        They are spelled in bytes, and adjacent words get different pieces than they were learnt with.
        """
        if self.form.normalise_invisible:
            return []
        return [
            character
            for character in invisible_characters(line)
            if self._processor.piece_to_id(character) == UNKNOWN
        ]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of pieces, always one line, without special pieces and bytes that form no character."""
        if self._list is not None:
            return self.form.read(single_line(self._list.decode(ids)))
        text: str = self._processor.decode([int(piece) for piece in ids if piece not in SPECIAL_PIECES])
        # A word that is spelled in bytes includes its space. A network that spells in bytes can produce a line break.
        return self.form.read(single_line(text.replace("\ufffd", "").removeprefix(SPACE).replace(SPACE, " ")))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """What each piece adds to a text, in the form that it is split in, with spaces; empty for special pieces.

        A byte of a longer character is a lone surrogate, as in Python's "surrogateescape".
        """
        if self._list is not None:
            return self._list.texts
        return tuple("" if piece in SPECIAL_PIECES else self._added(piece) for piece in range(self.size))

    def _added(self, piece: int) -> str:
        text: str = self._processor.id_to_piece(piece)
        if not self._processor.is_byte(piece):
            return text.replace(SPACE, " ")
        byte = bytes([int(text[3:-1], 16)])
        return single_line(byte.decode()) if byte.isascii() else byte.decode("utf-8", "surrogateescape")

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Return each piece as SentencePiece writes it."""
        return [self._processor.id_to_piece(int(piece)) for piece in ids]

    def shown(self, ids: Sequence[int]) -> list[str]:
        """Return each piece as pages and pictures show it: a byte that is a visible character as this character."""
        return [shown_piece(piece) for piece in self.pieces(ids)]
