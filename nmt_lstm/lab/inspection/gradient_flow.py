"""How far gradients reach back in the cells of a model, before and after its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.inference.translator import Translator
from nmt_lstm.lab.inspection.inspection import Inspector, cell_name
from nmt_lstm.lab.inspection.joined_sequences import joined_batch, spread_starts
from nmt_lstm.lab.inspection.trace_json import json_number
from nmt_lstm.model.build import build_model
from nmt_lstm.model.cell_locations import CellLocation
from nmt_lstm.model.gradient_flow import EXPLOSION_FACTOR, HORIZON_SHARE, Flow, gradient_flow
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.plain_text import json_text
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.sentence_batches import SentenceBatches
from nmt_lstm.text.lines import single_line
from nmt_lstm.text.subwords import Subwords

__all__ = ["FORMAT", "LENGTHS", "VERSION", "CellFlow", "GradientTrace", "inspect_gradients", "untrained"]

FORMAT = "nmt-lstm gradient flow"
VERSION = 1
"""Raised when a key is renamed or changes its meaning, but not when one is added."""
LENGTHS = (10, 20, 40)
MIN_LENGTH, MAX_LENGTH = 2, 500
MAX_TRANSLATED_SENTENCES = 1000
"""Maximum number of sentences; all of them are translated."""
BATCH_SIZE = 64
MAX_SEQUENCES = 16
"""Maximum number of sequences of each length; more would take time and hardly change the means."""


@dataclass(frozen=True)
class CellFlow:
    """The gradient flow of one cell in sequences of one length; lags are counted from the last position that it reads."""

    cell: str
    """The registered name of the cell."""
    length: int
    """Positions, n; the longest lag is n - 1."""
    before: Flow
    """In the network with its initial weights."""
    after: Flow
    """In the trained network."""

    @property
    def location(self) -> CellLocation:
        """The cell's location in the trained network."""
        return self.after.location

    @property
    def name(self) -> str:
        """The cell in words: "encoder, layer 1, backward"."""
        return self.location.name


@dataclass(frozen=True)
class GradientTrace:
    """How far gradients reach back in one model."""

    model: str
    """The model folder, or the name of a built-in model."""
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    """The translations of `sources`: the model's own, or the given target."""
    sequences: int
    """Sequences of each length, whose norms are averaged."""
    flows: tuple[CellFlow, ...]
    """By length, then from the source to the output."""

    @property
    def lengths(self) -> list[int]:
        """The lengths, in ascending order."""
        return sorted({flow.length for flow in self.flows})

    def to_dict(self) -> dict[str, Any]:
        """Return the trace as plain values, as `to_json` writes them."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "model": self.model,
            "sources": list(self.sources),
            "targets": list(self.targets),
            "sequences": self.sequences,
            "horizon_share": HORIZON_SHARE,
            "growth": EXPLOSION_FACTOR,
            "flows": [
                {
                    "side": flow.location.side,
                    "layer": flow.location.layer,
                    "direction": flow.location.direction,
                    "cell": flow.cell,
                    "length": flow.length,
                    "before": _plain(flow.before),
                    "after": _plain(flow.after),
                }
                for flow in self.flows
            ],
        }

    def to_json(self) -> str:
        """Return the trace as one line of JSON."""
        return json_text(self.to_dict())

    def to_svg(self, layers: Sequence[str] = ()) -> str:
        """Return a picture: a row for each cell, before and after training side by side.

        Args:
            layers: names of cells such as "encoder.1.forward", or of layers such as "encoder.1"; empty for all.

        Raises:
            ConfigurationError: there is no such layer.
        """
        from nmt_lstm.lab.inspection.gradient_page import gradient_picture

        return gradient_picture([self], layers)

    def _repr_html_(self) -> str:
        """Return the page as a frame, for notebooks."""
        from nmt_lstm.lab.inspection.gradient_page import gradient_page
        from nmt_lstm.lab.inspection.page import notebook_frame

        return notebook_frame(gradient_page([self]))


def inspect_gradients(
    model: Translator | Inspector | str | Path,
    lines: str | Sequence[str],
    *,
    target: str | None = None,
    lengths: Sequence[int] = LENGTHS,
    search: SearchSettings | None = None,
) -> GradientTrace:
    """Measure how far gradients reach back in each cell of a model, with its initial and with its trained weights.

    The norm of d L(t) / d h(t-k) is measured by the lag k, where h is the state of a cell and L(t) the loss at the last
    position t; see `nmt_lstm.model.gradient_flow` for what that means in encoder and decoder. So that lags are long and the
    same in all models, each sequence of n positions joins the pieces of several sentences, cut to n on both sides; after
    the last sentence it continues with the first. On the source side, n includes the end of the sentence, on the target
    side the beginning; the label of the last position is the next piece. Up to 16 sequences start at different sentences,
    evenly spaced in the text. Sentences longer than `search.max_source_pieces` are truncated, as in translation.

    The initial weights are drawn with the model's settings and seed. Only the output biases are zero, because a model
    folder does not contain the frequencies from which training initialises them.

    Args:
        model: a translator of one trained model, an `Inspector`, or a model folder.
        lines: 1 to 1,000 source sentences; blank ones are left out.
        target: the translation of a single sentence, instead of the model's own.
        lengths: positions n of the sequences, 2 to 500 each, in pieces of this model's vocabulary.
        search: settings of the search for the model's own translations; those of the run by default.

    Raises:
        ConfigurationError: a length is out of range; there is a `target` but several sentences; the translator contains
            several models, or its models were not loaded from folders.
        DataError: there is no sentence, there are too many, or all translations are empty.
        ModelFolderError: see `Inspector.load`.
        ResourceError: a single sentence does not fit into memory.
    """
    _check_lengths(lengths)
    if isinstance(model, Translator):
        model = Inspector.of_translator(model)
    elif not isinstance(model, Inspector):
        model = Inspector.load(model)
    settings, subwords = search or model.run.search, model.subwords
    sentences = _sentences([lines] if isinstance(lines, str) else lines, subwords)
    sources = [text for text, _ in sentences]
    source_pieces = [pieces[: settings.max_source_pieces] for _, pieces in sentences]
    if target is not None and len(sources) > 1:
        raise ConfigurationError(
            f"a target belongs to one sentence, but there are {len(sources)}; give one sentence, or no target."
        )
    if target is not None:
        target_pieces = [subwords.target.encode(single_line(target))]
    else:
        target_pieces = _translations(model.model, source_pieces, settings)
    if not any(target_pieces):
        raise DataError(
            f"all translations by '{model.name}' are empty, so there is no loss to measure; give a target."
        )
    start = untrained(model)
    starts = spread_starts(len(sources), MAX_SEQUENCES)
    flows: list[CellFlow] = []
    for length in sorted(set(lengths)):
        batch = joined_batch(source_pieces, target_pieces, starts, length)
        before, after = gradient_flow(start, batch), gradient_flow(model.model, batch)
        for first, last in zip(before, after, strict=True):
            cell = cell_name(model.side_settings(last.location.side))
            flows.append(CellFlow(cell, length, first, last))
    return GradientTrace(
        model=model.name,
        sources=tuple(sources),
        targets=tuple(single_line(subwords.target.decode(pieces)) for pieces in target_pieces),
        sequences=len(starts),
        flows=tuple(flows),
    )


def untrained(inspector: Inspector) -> Seq2Seq:
    """Return the network of a model with its initial weights; its output biases are zero."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(inspector.run.seed)
        source, target = inspector.subwords.source, inspector.subwords.target
        return build_model(inspector.run.model, source.size, target.size).eval()


def _check_lengths(lengths: Sequence[int]) -> None:
    wrong = [length for length in lengths if not MIN_LENGTH <= length <= MAX_LENGTH]
    if wrong or not lengths:
        raise ConfigurationError(
            f"the lengths {', '.join(map(str, lengths)) or '(none)'} are out of range; give lengths from {MIN_LENGTH} to "
            f"{MAX_LENGTH} pieces."
        )


def _sentences(lines: Sequence[str], subwords: Subwords) -> list[tuple[str, list[int]]]:
    """Return the sentences and their pieces, without lines that have no pieces: blank ones, and those without any width.

    Raises:
        DataError: there is no sentence, or there are too many.
    """
    encoded = [(text, subwords.source.encode(text)) for text in map(single_line, lines)]
    sentences = [(text, pieces) for text, pieces in encoded if pieces]
    if not sentences:
        raise DataError("the text has no sentence to measure gradients with; give at least one.")
    if len(sentences) > MAX_TRANSLATED_SENTENCES:
        raise DataError(
            f"the text has {len(sentences):,} sentences to measure gradients with; give at most "
            f"{MAX_TRANSLATED_SENTENCES:,}."
        )
    return sentences


def _translations(
    model: Seq2Seq, sources: Sequence[Sequence[int]], settings: SearchSettings
) -> list[list[int]]:
    def best(batch: SourceBatch, _: Sequence[int]) -> list[list[int]]:
        return [
            list(hypotheses[0].pieces)
            for hypotheses in beam_search(model, batch, settings, keep_attention=False)
        ]

    batches = SentenceBatches(sources, batch_size=BATCH_SIZE)
    return batches.run(best, device=model.output_weight.device)


def _plain(flow: Flow) -> Mapping[str, Any]:
    return {
        "norms": [json_number(norm) for norm in flow.norms],
        "horizon": flow.horizon,
        "grows": flow.explodes,
        "factor": json_number(flow.factor),
    }
