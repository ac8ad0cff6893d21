"""Settings chosen for the size of a corpus, for runs without a run file, and their summary."""

from __future__ import annotations

import itertools
import math
from typing import Any

from nmt_lstm.config.piece_kinds import PIECE_KINDS, SHORTER, PieceKindName
from nmt_lstm.config.schema import RunSettings, TrainingSettings
from nmt_lstm.config.tasks import TASKS, TaskName
from nmt_lstm.plain_text import count_of

__all__ = [
    "batch_of",
    "choose_settings",
    "describe_settings",
    "planned_length",
    "quickstart_settings",
    "vocabulary_size",
    "with_pieces",
]

Values = dict[str, Any]

BATCH_UNIT = 100


def choose_settings(pairs: int, task: TaskName = "translation") -> Values:
    """Choose vocabulary, network and training for a corpus of `pairs` sentence pairs, or lines of a text without pairs.

    Meant for 10,000 to 1,000,000 pairs. Small corpora overfit, so they get small vocabularies, one layer and much
    dropout; large ones get the reverse, and fewer epochs.
    """
    pairs = max(pairs, 1)
    vocabulary = vocabulary_size(pairs)
    layers = 1 if pairs < 100_000 else 2
    hidden = 512 if pairs < 500_000 else 1_024
    embedding = 256 if pairs < 50_000 else 512
    dropout = _interpolate(pairs, {10_000: 0.35, 30_000: 0.3, 100_000: 0.25, 300_000: 0.2, 1_000_000: 0.1})
    batch = _batch(pairs)
    epochs = round(
        _interpolate(pairs, {3_000: 40, 10_000: 28, 30_000: 20, 100_000: 14, 300_000: 8, 1_000_000: 5})
    )
    learning_rate = _interpolate(pairs, {30_000: 2e-3, 300_000: 1.5e-3, 1_000_000: 1e-3})
    # About 17 pieces per sentence: the warm-up only needs a rough number of steps.
    steps = epochs * pairs * 17 // batch
    warmup = max(10, min(1_000, steps // 50))
    stack = {"layers": layers, "hidden_size": hidden, "residual": layers > 1}
    stacks = [stack for stack in ("encoder", "decoder") if f"model.{stack}" not in TASKS[task].unused]
    values: Values = {
        **({} if task == "translation" else {"task": task}),
        "subwords": {"vocabulary_size": vocabulary},
        "model": {
            "embedding_size": embedding,
            "dropout": round(dropout, 2),
            **{name: dict(stack) for name in stacks},
        },
        "training": {
            "epochs": epochs,
            "fit_time_limit": True,
            "batch_pieces": _round_to(batch, BATCH_UNIT),
            # An epoch of a large corpus is long, so it is validated more than once.
            "validate_every": 0 if pairs < 200_000 else 2_000,
            "optimizer": {"learning_rate": round(learning_rate, 5)},
            "schedule": {"warmup_steps": warmup},
        },
    }
    if task == "classification":
        # A label says less than a translation: half of the embeddings' width and a quarter of the states' is plenty.
        values["model"] |= {"embedding_size": embedding // 2}
        values["model"]["encoder"]["hidden_size"] = hidden // 4
        values["training"]["fit_time_limit"] = False
    return values


def batch_of(run: RunSettings, pairs: int) -> int:
    """Return the pieces of a step of a run, ``training.batch_pieces``; if that is "auto", the number that suits the text.

    Args:
        run: the settings.
        pairs: sentence pairs of the training text, or lines of a text without pairs.
    """
    batch, task = run.training.batch_pieces, TASKS[run.task]
    if batch != "auto":
        return batch
    if not task.is_text:
        return int(task.defaults["training.batch_pieces"])
    return _round_to(_batch(max(pairs, 1)), BATCH_UNIT) * (
        SHORTER if PIECE_KINDS[run.subwords.kind].is_short else 1
    )


def with_pieces(values: Values, kind: PieceKindName) -> Values:
    """Return chosen settings for a kind of pieces: a size and a batch for subwords do not suit characters or words."""
    if PIECE_KINDS[kind].has_choice:
        return values
    subwords = {name: value for name, value in values["subwords"].items() if name != "vocabulary_size"}
    training = dict(values["training"])
    if PIECE_KINDS[kind].is_short:
        training["batch_pieces"] *= SHORTER
    return {**values, "subwords": subwords, "training": training}


def vocabulary_size(pairs: int) -> int:
    """Return the vocabulary size for a corpus: 8,000 at 29,000 pairs, 32,000 at 1,000,000, at least 500, rounded."""
    size = 8_000 * (max(pairs, 1) / 29_000) ** 0.4
    return min(32_000, max(500, _round_to(size, 1_000 if size >= 3_000 else 100)))


def describe_settings(pairs: int, run: RunSettings) -> list[str]:
    """Return the most important settings in a few lines, and advice if the corpus is very small or very large."""
    encoder, decoder, training = run.model.encoder, run.model.decoder, run.training
    shared = "shared by both languages" if run.subwords.joint else "for each language"
    pieces = run.subwords.vocabulary_size
    # A text may not have as many pieces as its size suggests; a size that is asked for is changed with a warning.
    size = f"{'up to ' * (pieces == vocabulary_size(pairs))}{pieces:,} " if pieces else ""
    vocabulary = f"{size}{PIECE_KINDS[run.subwords.kind].plural} {shared}"
    if run.subwords.model is not None:
        vocabulary = f"the pieces of '{run.subwords.model}'"
    text = "sentence pairs"
    network = f"{encoder.layers} + {decoder.layers} layers of {encoder.hidden_size} and {decoder.hidden_size} (encoder, decoder)"
    if not run.data.is_paired:
        text, vocabulary = "lines", vocabulary.removesuffix(f" {shared}")
        network = f"{count_of(decoder.layers, 'layer')} of {decoder.hidden_size}"
    elif not encoder.is_recurrent:
        network = (
            f"encoder {encoder.name}, {count_of(decoder.layers, 'decoder layer')} of {decoder.hidden_size}"
        )
    number = f"{'up to ' * (training.batch_pieces == 'auto')}{batch_of(run, pairs):,}"
    batch = f"{number} {'target ' * run.data.is_paired}pieces"
    if run.task == "classification":
        text, vocabulary = "texts with labels", vocabulary.removesuffix(f" {shared}")
        network = f"{count_of(encoder.layers, 'layer')} of {encoder.hidden_size}"
        if not encoder.is_recurrent:
            network = f"encoder {encoder.name}"
        batch = f"{number} pieces"
    sentences = [
        f"{pairs:,} {text}: {vocabulary},",
        (f"{network}, embeddings of {run.model.embedding_size}, dropout {run.model.dropout:.2f},"),
        (
            f"{planned_length(training)} of batches of {batch}, "
            f"learning rate {training.optimizer.learning_rate:g} at its peak."
        ),
    ]
    if pairs < 10_000:
        sentences.append("This corpus is small: more text would help more than any setting.")
    elif pairs > 1_000_000:
        sentences.append(
            f"These defaults are meant for up to 1,000,000 {text.split()[-1]}: consider writing a run file."
        )
    return sentences


def planned_length(training: TrainingSettings) -> str:
    """Return the planned length of a training run, such as "40 epochs (at most 5 steps)"."""
    epochs = count_of(training.epochs, "epoch")
    return f"{epochs} (at most {count_of(training.max_steps, 'step')})" if training.max_steps else epochs


def quickstart_settings(corpus: str, prepared: str, cell: str) -> Values:
    """Return the settings of the quickstart on the built-in English-Japanese corpus, which trains in two minutes.

    Measured on this corpus: with a width of 128, 1,200 steps of 400 pieces reach BLEU 82 at a learning rate of 0.01 and 31
    at 0.003; with a width of 256, 600 steps of 200 pieces take about as long and reach 45 at 0.006.
    """
    stack = {"cell": cell, "layers": 1, "hidden_size": 128}
    return {
        "data": {
            "train_source": f"{corpus}/train.en",
            "train_target": f"{corpus}/train.ja",
            "valid_source": f"{corpus}/valid.en",
            "valid_target": f"{corpus}/valid.ja",
            "source_language": "en",
            "target_language": "ja",
            # Characters need no extra package, unlike ja-mecab: the quickstart must run everywhere.
            "tokenize": "char",
            "prepared": prepared,
        },
        "subwords": {"vocabulary_size": 1_000},
        "model": {
            "embedding_size": 128,
            "dropout": 0.1,
            "encoder": dict(stack),
            "decoder": dict(stack),
        },
        "training": {
            "epochs": 4,
            "time_limit": "130s",
            # Slower machines train a narrower network, so that they still take enough steps.
            "fit_time_limit": True,
            # One process: with several, each would run the whole quickstart.
            "devices": 1,
            # Small batches: on so little text the number of steps matters, and they cost hardly more per piece.
            "batch_pieces": 400,
            # A cell without gates needs a lower learning rate, as on other corpora.
            "optimizer": {"learning_rate": 0.003 if cell == "rnn" else 0.01},
            "schedule": {"warmup_steps": 100},
        },
    }


def _batch(pairs: int) -> int:
    """Return the target pieces of a step that suit a corpus."""
    points: dict[int, float] = {
        10_000: 1_000,
        30_000: 1_500,
        100_000: 3_000,
        300_000: 6_000,
        1_000_000: 12_000,
    }
    return int(_interpolate(pairs, points))


def _round_to(number: float, unit: int) -> int:
    return max(unit, unit * round(number / unit))


def _interpolate(pairs: int, points: dict[int, float]) -> float:
    """Interpolate between points over the logarithm of the number of pairs; constant beyond the ends."""
    sizes = sorted(points)
    if pairs <= sizes[0]:
        return points[sizes[0]]
    for low, high in itertools.pairwise(sizes):
        if pairs <= high:
            weight = math.log(pairs / low) / math.log(high / low)
            return points[low] + weight * (points[high] - points[low])
    return points[sizes[-1]]
