"""From a model and sentences to a measurement of how far gradients reach back in each cell, before and after training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.inference.translator import Translator
from nmt_lstm.lab.inspection.gradient_trace import CellFlow, GradientTrace
from nmt_lstm.lab.inspection.inspection import Inspector, cell_name
from nmt_lstm.lab.inspection.joined_sequences import joined_batch, spread_starts
from nmt_lstm.model.build import build_model
from nmt_lstm.model.gradient_flow import gradient_flow
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.sentence_batches import SentenceBatches
from nmt_lstm.text.lines import single_line
from nmt_lstm.text.subwords import Subwords

__all__ = ["LENGTHS", "inspect_gradients", "untrained"]

LENGTHS = (10, 20, 40)
MIN_LENGTH, MAX_LENGTH = 2, 500
MAX_TRANSLATED_SENTENCES = 1000
"""Maximum number of sentences; all of them are translated."""
BATCH_SIZE = 64
MAX_SEQUENCES = 16
"""Maximum number of sequences of each length; more would take time and hardly change the means."""


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
