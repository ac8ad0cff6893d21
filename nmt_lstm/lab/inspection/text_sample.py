"""Sentences of a text, read by a model: what every cell did at every piece.

Shapes: T positions of a sentence, H hidden width.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.errors import DataError
from nmt_lstm.lab.inspection.cell_trace import CellTrace
from nmt_lstm.lab.inspection.inspection import MAX_PIECES, Inspector
from nmt_lstm.lab.inspection.memory_span import horizon, survival
from nmt_lstm.search.greedy import greedy_search
from nmt_lstm.search.limits import Limits
from nmt_lstm.text.lines import single_line
from nmt_lstm.text.special_pieces import END_OF_SENTENCE

__all__ = ["MAX_SAMPLED_SENTENCES", "CellReading", "SentenceReading", "read_sentences", "sampled"]

MAX_SAMPLED_SENTENCES = 100
"""Sentences of a text that are read; of a longer one, as many chosen by chance, always the same."""


@dataclass(frozen=True)
class CellReading:
    """One cell along one sentence, in the order of the text."""

    key: str
    """Such as "encoder.1.backward"."""
    record: CellTrace
    horizon: int
    """See `memory_span.horizon`."""


@dataclass(frozen=True)
class SentenceReading:
    """One sentence through a model, which wrote its own translation."""

    source: tuple[str, ...]
    """Source pieces, the last one is the end of the sentence: what the encoder's cells read."""
    target: tuple[str, ...]
    """The beginning of the sentence and the target pieces: what the decoder's cells read."""
    cells: tuple[CellReading, ...]
    """From the source to the output."""

    def pieces_of(self, key: str) -> tuple[str, ...]:
        """Return what a cell read."""
        return self.source if key.startswith("encoder") else self.target


def sampled(lines: Iterable[str], count: int = MAX_SAMPLED_SENTENCES) -> list[str]:
    """Return at most `count` lines that are not blank, all with the same chance, in the order of the text.

    The text is read once, as a stream (Vitter 1985, algorithm R), with a fixed seed.
    """
    chance = random.Random(1)
    sample: list[tuple[int, str]] = []
    for number, line in enumerate(filter(str.strip, lines)):
        if number < count:
            sample.append((number, line))
        elif (place := chance.randrange(number + 1)) < count:
            sample[place] = (number, line)
    return [line for _, line in sorted(sample)]


def read_sentences(inspector: Inspector, lines: Sequence[str]) -> Iterator[SentenceReading]:
    """Yield what a model did with each line; lines of more than 100 pieces are left out.

    Raises:
        DataError: no line is left.
    """
    usable = 0
    subwords = inspector.subwords
    for line in lines:
        source = subwords.source.encode(single_line(line))
        if not 0 < len(source) <= MAX_PIECES:
            continue
        usable += 1
        batch = source_batch([source])
        limits = Limits(inspector.run.search, batch)
        with torch.no_grad():
            ((best, *_),) = greedy_search(inspector.model, batch, limits=limits, keep_attention=False)
        target = list(best.pieces)[:MAX_PIECES]
        reading = inspector.read(source, target)
        cells = []
        for cell in reading.cells:
            reach = horizon(survival(cell.location.cell, cell.calls))
            cells.append(CellReading(cell.location.key, cell.record_in_order, reach))
        yield SentenceReading(
            (*subwords.source.shown(source), END_OF_SENTENCE),
            ("<s>", *subwords.target.shown(target)),
            tuple(cells),
        )
    if not usable:
        raise DataError(f"the text has no sentence of 1 to {MAX_PIECES} pieces; name a different one.")
