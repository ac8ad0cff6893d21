"""Cost of each registered attention relative to the bilinear one: training, keys and one step of search; one core.

Times are processor time in float32.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from plugin_option import add_plugin_option, load_plugins
from report import Row
from timing import alternating

if TYPE_CHECKING:
    from nmt_lstm import Attention

REFERENCE = "bilinear"
SENTENCES, TARGET, SOURCE, WIDTH = 100, 20, 22, 512
SEARCHED, BEAMS = 16, 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument(
        "--attentions",
        nargs="+",
        metavar="NAME",
        help="registered attentions; by default those from --plugin, or all",
    )
    add_plugin_option(parser, "attentions")
    parser.add_argument(
        "--repetitions", type=int, default=7, metavar="N", help="repetitions of each measurement"
    )


def measure(options: argparse.Namespace) -> list[Row]:
    """Measure each attention, alternating with the bilinear one."""
    import torch

    from nmt_lstm import ATTENTIONS

    torch.set_num_threads(1)
    torch.manual_seed(1)
    repetitions, width = (3, 32) if options.quick else (options.repetitions, WIDTH)
    rows = []
    from_plugins = load_plugins(options.plugin, ATTENTIONS)
    for name in options.attentions or from_plugins or ATTENTIONS.names():
        attention, bilinear = (
            ATTENTIONS.build(each, query_size=width, memory_size=width) for each in (name, REFERENCE)
        )
        for what, call, counted in (
            (
                "forward and backward",
                training_call(width),
                f"{SENTENCES} x {TARGET} queries of {SOURCE} positions, {width}",
            ),
            (
                "keys and one step",
                search_call(width),
                f"{SEARCHED} sentences of {BEAMS} beams, {SOURCE} positions, {width}",
            ),
        ):
            time, reference = alternating(call, attention, bilinear, repetitions)
            speed = f"{reference / time:.2f} times the speed of the {REFERENCE} attention"
            rows.append(Row(f"{name}: {what}", time, "ms", f"{counted}; {speed}"))
    return rows


def training_call(width: int) -> Callable[[Attention], None]:
    """Return a call as in training: keys, all queries (one after another if recurrent), gradients."""
    import torch

    source, queries = torch.randn(SENTENCES, SOURCE, width), torch.randn(SENTENCES, TARGET, width)
    is_token = torch.ones(SENTENCES, SOURCE, dtype=torch.bool)

    def call(attention: Attention) -> None:
        attention.train().zero_grad(set_to_none=True)
        states = source.clone().requires_grad_()
        memory = attention.prepare(states, is_token)
        state = attention.initial_state(memory)
        total = torch.zeros(())
        for block in queries.split(1 if attention.recurrent else TARGET, 1):
            attended = attention(block, memory, state)
            state, total = attended.state, total + attended.context.sum()
        total.backward()

    return call


def search_call(width: int) -> Callable[[Attention], None]:
    """Return a call as in a step of beam search."""
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
            # One row for each beam, like its state.
            memory = type(memory)(*(tensor.repeat_interleave(BEAMS, 0) for tensor in memory))
            attention(queries.flatten(0, 1)[:, None], memory, attention.initial_state(memory))

    return call
