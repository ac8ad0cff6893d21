"""What each registered attention costs beside the bilinear one: training, keys and one step of search; one core.

The bilinear attention is measured in turn with each, so that a machine that slows down does so for both. Times are
processor time, in float32.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from own_parts import add_plugin_option, load_plugins
from report import Row

if TYPE_CHECKING:
    from nmt_lstm import Attention

REFERENCE = "bilinear"
SENTENCES, TARGET, SOURCE, WIDTH = 100, 20, 22, 512
SEARCHED, BEAMS = 16, 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument(
        "--attentions",
        nargs="+",
        metavar="NAME",
        help="registered ones; those of --plugin, or all, if left out",
    )
    add_plugin_option(parser, "attentions")
    parser.add_argument("--repetitions", type=int, default=7, metavar="N", help="of each measurement")


def measure(options: argparse.Namespace) -> list[Row]:
    """Measure each attention in turn with the bilinear one."""
    import torch

    from nmt_lstm import ATTENTIONS

    torch.set_num_threads(1)
    torch.manual_seed(1)
    repetitions, width = (3, 32) if options.quick else (options.repetitions, WIDTH)
    rows = []
    own = load_plugins(options.plugin, ATTENTIONS)
    for name in options.attentions or own or ATTENTIONS.names():
        parts = [ATTENTIONS.build(part, query_size=width, memory_size=width) for part in (name, REFERENCE)]
        for what, call, counted in (
            (
                "forward and backward",
                trained(width),
                f"{SENTENCES} x {TARGET} queries of {SOURCE} positions, {width}",
            ),
            (
                "keys and one step",
                searched(width),
                f"{SEARCHED} sentences of {BEAMS} beams, {SOURCE} positions, {width}",
            ),
        ):
            own, reference = in_turn(call, parts, repetitions)
            speed = f"{reference / own:.2f} times the {REFERENCE} attention's speed"
            rows.append(Row(f"{name}: {what}", own, "ms", f"{counted}; {speed}"))
    return rows


def trained(width: int) -> Callable[[Attention], None]:
    """Return what a training does with an attention: keys, all queries, one after the other where it must, gradients."""
    import torch

    source, queries = torch.randn(SENTENCES, SOURCE, width), torch.randn(SENTENCES, TARGET, width)
    is_token = torch.ones(SENTENCES, SOURCE, dtype=torch.bool)

    def call(attention: Attention) -> None:
        attention.train().zero_grad(set_to_none=True)
        states = source.clone().requires_grad_()
        memory = attention.prepare(states, is_token)
        state = attention.initial_state(memory)
        total = torch.zeros(())
        for part in queries.split(1 if attention.recurrent else TARGET, 1):
            attended = attention(part, memory, state)
            state, total = attended.state, total + attended.context.sum()
        total.backward()

    return call


def searched(width: int) -> Callable[[Attention], None]:
    """Return what one step of a beam search does with an attention."""
    import torch

    source, queries = torch.randn(SEARCHED, SOURCE, width), torch.randn(SEARCHED, BEAMS, width)
    is_token = torch.ones(SEARCHED, SOURCE, dtype=torch.bool)

    def call(attention: Attention) -> None:
        attention.eval()
        with torch.inference_mode():
            memory = attention.prepare(source, is_token)
            if not attention.recurrent:
                attention(queries, memory, ())
                return
            # One row for each beam, as its state is.
            memory = type(memory)(*(part.repeat_interleave(BEAMS, 0) for part in memory))
            attention(queries.flatten(0, 1)[:, None], memory, attention.initial_state(memory))

    return call


def in_turn(
    call: Callable[[Attention], None], parts: list[Attention], repetitions: int
) -> tuple[float, float]:
    """Return medians in ms of a call of two attentions in turn; both are warmed up."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(repetitions + 1):
        for part, found in zip(parts, times, strict=True):
            begin = time.process_time()
            call(part)
            if number:
                found.append(1e3 * (time.process_time() - begin))
    return statistics.median(times[0]), statistics.median(times[1])
