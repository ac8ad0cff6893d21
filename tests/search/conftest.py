"""A model that is a table: each sentence and prefix has a random distribution of the next piece."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.text.special_pieces import BEGIN, END


class TableState(NamedTuple):
    sentences: list[tuple[int, ...]]  # one per sentence
    prefixes: list[tuple[int, ...]]  # one per row


class TableStep(NamedTuple):
    logits: Tensor
    attention: Tensor
    state: TableState
    pieces: Tensor | None = None
    normalised: bool = False


class TableModel:
    """A model with the protocol of a network that can also be searched exhaustively."""

    def __init__(self, pieces: int = 2, *, seed: int = 0, end: float = 0.0, levels: int = 0) -> None:
        self.size = 4 + pieces
        self.seed = seed
        self.end = end
        self.levels = levels  # above 0: the number of different logits, so that many are equal
        self.row_counts: list[int] = []

    def logits(self, sentence: tuple[int, ...], prefix: tuple[int, ...]) -> Tensor:
        generator = torch.Generator().manual_seed(hash((self.seed, sentence, prefix)) % 2**31)
        logits = torch.randn(self.size, generator=generator) * 2
        if self.levels:
            logits = torch.randint(self.levels, (self.size,), generator=generator).float()
        logits[END] += self.end
        return logits

    def attention(self, sentence: tuple[int, ...], prefix: tuple[int, ...], width: int) -> Tensor:
        generator = torch.Generator().manual_seed(hash((self.seed, 1, sentence, prefix)) % 2**31)
        weights = torch.rand(len(sentence), generator=generator).mul(3).softmax(0)
        return torch.nn.functional.pad(weights, (0, width - len(sentence)))

    def encode(self, source: SourceBatch) -> list[tuple[int, ...]]:
        self.width = source.pieces.shape[1]
        return [
            tuple(row[:length])
            for row, length in zip(source.pieces.tolist(), source.lengths.tolist(), strict=True)
        ]

    def start(self, encoded: list[tuple[int, ...]]) -> TableState:
        return TableState(encoded, [()] * len(encoded))

    def step(self, previous: Tensor, state: TableState) -> TableStep:
        self.row_counts.append(len(previous))
        assert len(previous) == len(state.prefixes)
        beams = len(state.prefixes) // len(state.sentences)
        prefixes = [
            (*prefix, piece) for prefix, piece in zip(state.prefixes, previous.tolist(), strict=True)
        ]  # fmt: skip
        sentences = [state.sentences[row // beams] for row in range(len(prefixes))]
        return TableStep(
            torch.stack([self.logits(*pair) for pair in zip(sentences, prefixes, strict=True)]),
            torch.stack(
                [self.attention(*pair, self.width) for pair in zip(sentences, prefixes, strict=True)]
            ),
            TableState(state.sentences, prefixes),
        )

    def reorder(self, state: TableState, rows: Tensor, sentences: Tensor | None) -> TableState:
        beams = len(state.prefixes) // len(state.sentences)
        staying = list(range(len(state.sentences))) if sentences is None else sentences.tolist()
        new_beams = len(rows) // len(staying)
        for index, row in enumerate(rows.tolist()):
            assert row // beams == staying[index // new_beams], "a row must stay with its sentence"
        return TableState(
            [state.sentences[sentence] for sentence in staying],
            [state.prefixes[row] for row in rows.tolist()],
        )

    def every_string(
        self, sentence: tuple[int, ...], longest: int, shortest: int = 0
    ) -> dict[tuple[int, ...], float]:
        """Return the log-probability of every string of regular pieces within the length limits, END included."""
        log_probabilities: dict[tuple[int, ...], float] = {}
        for length in range(shortest, longest + 1):
            for pieces in itertools.product(range(END + 1, self.size), repeat=length):
                log_probabilities[pieces] = sum(self.piece_log_probabilities(sentence, pieces))
        return log_probabilities

    def piece_log_probabilities(self, sentence: tuple[int, ...], pieces: tuple[int, ...]) -> list[float]:
        string = (BEGIN, *pieces, END)
        return [
            float(self.logits(sentence, string[:length]).log_softmax(0)[string[length]])
            for length in range(1, len(string))
        ]

    def coverage(self, sentence: tuple[int, ...], pieces: tuple[int, ...]) -> float:
        string = (BEGIN, *pieces)
        total = sum(
            self.attention(sentence, string[:length], len(sentence)) for length in range(1, len(string) + 1)
        )
        return sum(math.log(min(value, 1.0)) for value in total.tolist())


@pytest.fixture
def table_model() -> type[TableModel]:
    """The class of models that are tables."""
    return TableModel
