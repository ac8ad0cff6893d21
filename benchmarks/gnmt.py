"""The network of GNMT (Wu et al. 2016) on a GPU: training speed, translation speed, and latency of one sentence.

4+4 LSTM layers of 1,024, the first encoder layer bidirectional, residual connections, 32,000 pieces, random text. Lengths
are log-normal with a median of 23 pieces and a maximum of 50, similar to WMT English-German. Source and target pieces are
counted with the end of each sentence and without padding. The network learns nothing; in translation it cannot end
sentences, so all of them reach a limit close to their length. Without a GPU, or with --device cpu, it runs on the processor.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from report import Row
from timing import Repeated, seconds
from training_steps import Training

if TYPE_CHECKING:
    import torch

    from nmt_lstm.batching.batch import Batch
    from nmt_lstm.model.seq2seq import Seq2Seq
    from nmt_lstm.numerics.precision import Precision

MAX_LENGTH, MEDIAN, SPREAD = 50, 23, 0.55
# Limit of translation pieces per source piece, plus 10 pieces: 25 for 25.
LENGTH_RATIO = 0.6
POOL = 64  # number of batches whose sentences are sorted by length together


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--precision", choices=["auto", "float32", "bf16", "fp16"], default="auto")
    parser.add_argument(
        "--hidden-size", type=int, default=1_024, metavar="N", help="size of layers and embeddings"
    )
    parser.add_argument(
        "--layers", type=int, default=4, metavar="N", help="layers of the encoder, and of the decoder"
    )
    parser.add_argument("--vocabulary", type=int, default=32_000, metavar="N", help="pieces")
    parser.add_argument(
        "--batch-pieces", type=int, default=32_768, metavar="N", help="target pieces per training step"
    )
    parser.add_argument(
        "--sentences", type=int, default=128, metavar="N", help="sentences translated at a time"
    )
    parser.add_argument(
        "--repetitions", type=int, default=5, metavar="N", help="repetitions of each measurement"
    )


def measure(options: argparse.Namespace) -> list[Row]:
    """Measure training and translation."""
    import torch

    from nmt_lstm.numerics.device import choose_device
    from nmt_lstm.numerics.precision import resolve_precision

    if options.quick:
        options.hidden_size, options.layers, options.vocabulary = 32, 2, 300
        options.batch_pieces, options.sentences, options.repetitions = 400, 8, 2
    device = choose_device(options.device)
    precision = resolve_precision(options.precision, device)
    torch.manual_seed(1)
    setup = Setup(device, precision)
    model = network(options).to(device)
    text = RandomText(options.vocabulary, options.batch_pieces)
    return [*training(model, text, options, setup), *translation(model.eval(), text, options, setup)]


@dataclass(frozen=True)
class Setup:
    """Device and precision."""

    device: torch.device
    precision: Precision

    def __str__(self) -> str:
        import torch

        on_gpu = self.device.type == "cuda"
        return f"{torch.cuda.get_device_name(self.device) if on_gpu else 'processor'}, {self.precision}"


def network(options: argparse.Namespace) -> Seq2Seq:
    """Return the untrained network."""
    from nmt_lstm.config.schema import DecoderSettings, EncoderSettings, ModelSettings
    from nmt_lstm.model.build import build_model

    shape: dict[str, Any] = {"layers": options.layers, "hidden_size": options.hidden_size, "residual": True}
    settings = ModelSettings(
        embedding_size=options.hidden_size,
        encoder=EncoderSettings(**shape, directions="first"),
        decoder=DecoderSettings(**shape, wiring="gnmt"),
    )
    return build_model(settings, options.vocabulary, options.vocabulary)


class RandomText:
    """Random sentence pairs in batches of similar lengths.

    Args:
        vocabulary: number of pieces.
        batch_pieces: the most target pieces in a batch.
    """

    def __init__(self, vocabulary: int, batch_pieces: int) -> None:
        from nmt_lstm.text.special_pieces import END

        self.first, self.vocabulary, self.batch_pieces = END + 1, vocabulary, batch_pieces
        self.random = np.random.default_rng(1)
        self.pool: list[list[tuple[int, int]]] = []

    def lengths(self, count: int) -> list[int]:
        """Return random sentence lengths, without the end of the sentence."""
        drawn = np.exp(math.log(MEDIAN) + SPREAD * self.random.standard_normal(4 * count + 100))
        return [int(length) for length in drawn if 1 <= length <= MAX_LENGTH][:count]

    def sentence(self, length: int) -> list[int]:
        """Return random pieces."""
        pieces: list[int] = self.random.integers(self.first, self.vocabulary, length).tolist()
        return pieces

    def batch(self, step: int) -> Batch:
        """Return the next batch, whatever the step."""
        from nmt_lstm.batching.batch import collate

        if not self.pool:
            self._fill()
        pairs = self.pool.pop()
        sides = ([self.sentence(pair[side]) for pair in pairs] for side in (0, 1))
        return collate(*sides)

    def _fill(self) -> None:
        sources = self.lengths(POOL * max(1, self.batch_pieces // MEDIAN))
        stretched = np.asarray(sources) * (1.0 + 0.15 * self.random.standard_normal(len(sources)))
        targets = np.clip(np.rint(stretched), 1, MAX_LENGTH).astype(int).tolist()
        batch: list[tuple[int, int]] = []
        for source, target in sorted(zip(sources, targets, strict=True), key=lambda pair: (pair[1], pair[0])):
            if batch and sum(pair[1] + 1 for pair in batch) + target + 1 > self.batch_pieces:
                self.pool.append(batch)
                batch = []
            batch.append((source, target))
        self.random.shuffle(self.pool)


def training(model: Seq2Seq, text: RandomText, options: argparse.Namespace, setup: Setup) -> list[Row]:
    """Return the speed, the share of the device's rate and the memory of training."""
    import torch

    from nmt_lstm.config.schema import TrainingSettings

    # Made in advance, as by the loader in training.
    steps, warm_up = (2, 1) if options.quick else (10, 10)
    batches = [text.batch(0) for _ in range(warm_up + steps * options.repetitions)]
    run = Training(model.train(), TrainingSettings(), batches.__getitem__, setup.precision, setup.device)
    run.take(warm_up)
    rates = [run.take(steps) for _ in range(options.repetitions)]
    speed = Repeated(tuple(each.pieces for each in rates))
    best = product_rate(options.hidden_size, setup)
    share = Repeated(tuple(100 * each.operations / best for each in rates))
    rows = [
        Row(
            "training",
            speed.median,
            "source + target pieces/s",
            f"{steps} steps of {options.batch_pieces:,} target pieces, {setup}; {speed.spread()}",
        ),
        Row(
            "  share of the product rate",
            share.median,
            "%",
            f"necessary products relative to {best / 1e12:,.2f} TFLOP/s; {share.spread(1)}",
        ),
    ]
    if setup.device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(setup.device) / 2**20
        rows.append(Row("  memory", peak, "MiB", f"peak on the device, {setup}"))
    return rows


def product_rate(width: int, setup: Setup) -> float:
    """Return the operations per second in one large product."""
    import torch

    dtype = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[setup.precision]
    device = setup.device
    rows = 8_192
    inputs = torch.randn(rows, width, dtype=dtype, device=device)
    weight = torch.randn(4 * width, width, dtype=dtype, device=device)
    times = 20 if device.type == "cuda" else 1

    def call() -> None:
        for _ in range(times):
            torch.nn.functional.linear(inputs, weight)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return times * 2.0 * rows * width * 4 * width / min(seconds(call, repetitions=5).values)


def translation(model: Seq2Seq, text: RandomText, options: argparse.Namespace, setup: Setup) -> list[Row]:
    """Return the speed at beam 5, and the latency of one greedy translation."""
    import torch

    from nmt_lstm.text.special_pieces import END

    with torch.no_grad():
        model.output_bias[END] = -50.0
    many = [text.sentence(length) for length in sorted(text.lengths(options.sentences))]
    search = search_call(model, many, 5, setup)
    pieces = search() + sum(len(sentence) + 1 for sentence in many)
    times = [_timed(search) for _ in range(options.repetitions)]
    speed = Repeated(tuple(pieces / each for each in times))
    one = search_call(model, [text.sentence(25)], 1, setup)
    for _ in range(3):
        one()
    milliseconds = sorted(1_000 * _timed(one) for _ in range(10 * options.repetitions))
    latency = Repeated(tuple(milliseconds))
    return [
        Row(
            "translation, beam 5",
            speed.median,
            "source + target pieces/s",
            f"{options.sentences} sentences at a time, {setup}; {speed.spread()}",
        ),
        Row("one sentence, greedy", latency.median, "ms", f"25 pieces, {setup}; {latency.spread(1)}"),
    ]


def search_call(
    model: Seq2Seq, sentences: list[list[int]], beam_size: int, setup: Setup
) -> Callable[[], int]:
    """Return a function that translates a batch and returns the number of pieces, including the ends of sentences."""
    from nmt_lstm.batching.batch import source_batch
    from nmt_lstm.config.schema import SearchSettings
    from nmt_lstm.numerics.precision import autocast
    from nmt_lstm.search.beam_search import beam_search

    settings = SearchSettings(beam_size=beam_size, max_length_ratio=LENGTH_RATIO, length_penalty="none")

    def call() -> int:
        with autocast(setup.device, setup.precision):
            translations = beam_search(
                model, source_batch(sentences).to(setup.device), settings, keep_attention=False
            )
        return sum(len(hypotheses[0].pieces) + 1 for hypotheses in translations)

    return call


def _timed(call: Callable[[], int]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
