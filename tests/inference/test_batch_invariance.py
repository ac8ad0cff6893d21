"""A translation does not depend on its batch: every cell, attention, encoder, wiring, beam, and number of sentences.

In float32 and int8 on a processor, the pieces and scores of all hypotheses are the same to the last bit. In bf16 they are
not, and a test bounds the difference. The parts of installed plugins are included.

The quick tests contain each part. The long ones are the whole product; `tox -e faults-full` runs them with all
instructions of the processor, then with those of AVX2 alone, and prints the number of lines that were compared.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest
import torch

from nmt_lstm.config.schema import ModelSettings, SearchSettings
from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.inference.inference_model import prepare_for_inference
from nmt_lstm.model.build import build_model
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.numerics.precision import Precision
from nmt_lstm.registry import ATTENTIONS, CELLS, ENCODERS
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.hypotheses import Hypothesis
from nmt_lstm.search.sentence_batches import SentenceBatches
from nmt_lstm.text.special_pieces import END

Sentences = list[list[int]]

BEAMS = (1, 5, 10)
LARGEST = 256
SAME = "lines had the same bits in batches of different sizes"
# Widths of embeddings and of both cells, and numbers of pieces: libraries choose kernels by them, and ends of rows that do
# not fill a vector register are computed differently. The large ones take most of the time, so they are rare.
SIZES = ((16, 8, 24, 23), (16, 16, 24, 61), (24, 64, 40, 259), (16, 24, 16, 23), (64, 128, 104, 1_030))


class Parts(NamedTuple):
    """What a network consists of."""

    cell: str
    attention: str
    encoder: str
    wiring: str


class Form(NamedTuple):
    """What searches: a trained network, or one that was prepared as `export` does."""

    prepare: Callable[[Seq2Seq], Any]
    precision: Precision = "float32"


FORMS = {
    "float32": Form(lambda model: model),
    "exported float32": Form(lambda model: prepare_for_inference(model, "float32").pack()),
    "int8": Form(lambda model: prepare_for_inference(model, "int8").pack()),
}
BF16_FORMS = {
    "bf16": Form(lambda model: model, "bf16"),
    "exported bf16": Form(lambda model: prepare_for_inference(model, "bf16").pack()),
}
NAMES = (CELLS.names(), ATTENTIONS.names(), ENCODERS.names(), list(WIRINGS))
PRODUCT = [Parts(*parts) for parts in itertools.product(*NAMES)]


def covering() -> list[Parts]:
    """A few combinations that together contain every part."""
    columns = []
    for seed, names in enumerate(NAMES):
        # The recurrent encoder is in half of them, since only there the encoder consists of cells, too.
        repeated = (
            list(names) if names is not NAMES[2] else [each for name in names for each in ("recurrent", name)]
        )
        column = [repeated[index % len(repeated)] for index in range(max(map(len, NAMES)))]
        random.Random(seed).shuffle(column)
        columns.append(column)
    return [Parts(*parts) for parts in zip(*columns, strict=True)]


def network(parts: Parts, number: int) -> Seq2Seq:
    """A network with weights so large that its translations differ from line to line."""
    embedding, encoder, decoder, pieces = SIZES[number % len(SIZES)]
    recurrent = {"cell": parts.cell, "hidden_size": encoder} if parts.encoder == "recurrent" else {}
    settings = ModelSettings.model_validate(
        {
            "embedding_size": embedding,
            "encoder": {"name": parts.encoder, **recurrent},
            "decoder": {"cell": parts.cell, "hidden_size": decoder, "layers": 2, "wiring": parts.wiring},
            "attention": {"name": parts.attention},
        }
    )
    torch.manual_seed(number)
    model = build_model(settings, pieces, pieces).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.5 if parameter.dim() < 2 else 1.5 / parameter.shape[-1] ** 0.5)
    return model


def sentences(model: Seq2Seq, count: int, draw: random.Random) -> Sentences:
    """Sentences of random pieces, whose lengths round up to the same number, so that all are in one batch."""
    pieces = len(model.target_embedding.weight)
    return [[draw.randrange(END + 1, pieces) for _ in range(draw.randint(1, 7))] for _ in range(count)]


def translate(searched: Any, form: Form, sources: Sentences, beam_size: int) -> Sequence[list[Hypothesis]]:
    """Return all hypotheses of sentences that are translated in one batch."""
    settings = SearchSettings(beam_size=beam_size, max_length_ratio=0.5)
    batches = SentenceBatches(sources, batch_size=len(sources))
    assert len(list(batches.indices())) == 1
    return batches.run(
        lambda source, _: beam_search(searched, source, settings, n_best=beam_size, keep_attention=False),
        device=torch.device("cpu"),
        precision=form.precision,
    )


def compared(
    searched: Any, form: Form, sources: Sentences, beam_size: int, sizes: Sequence[int], draw: random.Random
) -> Iterator[tuple[int, list[Hypothesis], list[Hypothesis]]]:
    """Yield hypotheses of a line in the batch of all sentences, and in one of another size, which is the first item."""
    together = translate(searched, form, sources, beam_size)
    for size in sizes:
        first = draw.randint(0, len(sources) - size)
        lines = slice(first, first + size)
        for one, other in zip(
            together[lines], translate(searched, form, sources[lines], beam_size), strict=True
        ):
            yield size, one, other


@pytest.mark.parametrize("parts", covering(), ids="-".join)
def test_each_part_has_the_same_bits_in_any_batch(parts, count_cases) -> None:
    number = covering().index(parts)
    draw = random.Random(number)
    model = network(parts, number)
    scores = set()
    lines = 0
    for name, form in FORMS.items():
        if name == "exported float32" and number % 3:
            continue
        searched = form.prepare(model)
        for beam_size in BEAMS:
            largest = LARGEST if beam_size == BEAMS[number % len(BEAMS)] else 40
            sources = sentences(model, largest, draw)
            sizes = (1, draw.randint(2, largest - 1))
            for size, one, other in compared(searched, form, sources, beam_size, sizes, draw):
                assert one == other, f"{name}, beam {beam_size}: in batches of {largest} and {size}"
                scores.add(one[0].score)
                lines += 1
    assert len(scores) > 100, "results that are all the same would prove little"
    count_cases(SAME, lines)


def test_the_quick_tests_contain_every_part() -> None:
    for names, column in zip(NAMES, zip(*covering(), strict=True), strict=True):
        assert set(names) == set(column)


def cases(cell: str) -> Iterator[tuple[int, Parts, str, int, int]]:
    """Yield all cases of a cell: number, parts, form, beam size, and the sentences of the largest batch.

    The latter goes through all numbers from 2 to 256 in half of the cases. In the others it is small, which is quicker.
    """
    every = itertools.product(PRODUCT, FORMS, BEAMS)
    for number, (parts, form, beam_size) in enumerate(every):
        if parts.cell == cell:
            yield number, parts, form, beam_size, 2 + number * 97 % (31 if number % 2 else LARGEST - 1)


@pytest.mark.long
@pytest.mark.spread
@pytest.mark.parametrize("cell", CELLS.names())
def test_every_combination_has_the_same_bits_in_any_batch(cell, count_cases) -> None:
    failures, lines = [], 0
    for (number, parts), of_network in itertools.groupby(
        cases(cell), lambda case: (case[0] // (len(FORMS) * len(BEAMS)), case[1])
    ):
        model = network(parts, number)
        searched = {name: form.prepare(model) for name, form in FORMS.items()}
        for case, _, name, beam_size, largest in of_network:
            draw = random.Random(case)
            sources = sentences(model, largest, draw)
            sizes = (1, draw.randint(1, largest - 1))
            differing = 0
            for _, one, other in compared(searched[name], FORMS[name], sources, beam_size, sizes, draw):
                differing += one != other
                lines += 1
            if differing:
                failures.append(
                    f"{'-'.join(parts)}, {name}, beam {beam_size}, {largest} and {sizes}: {differing}"
                )
    assert not failures, "\n".join(failures)
    count_cases(SAME, lines)


def test_the_cases_contain_every_batch_size() -> None:
    largest = {case[-1] for cell in CELLS.names() for case in cases(cell)}
    assert largest == set(range(2, LARGEST + 1))


# The largest difference of scores, and share of lines that differ, of networks whose large random weights amplify differences.
# On an AMD EPYC with AVX512-BF16 both are 0 (docs/speed.md).
BF16_SCORE = 0.05
BF16_LINES = 0.05


@pytest.mark.needs_bf16
@pytest.mark.parametrize("name", BF16_FORMS)
def test_in_bf16_the_difference_is_bounded(name) -> None:
    form, total, differing, largest = BF16_FORMS[name], 0, 0, 0.0
    for number, parts in enumerate(covering()[:3]):
        draw = random.Random(number)
        model = network(parts, number)
        searched = form.prepare(model)
        for beam_size in BEAMS[:2]:
            for _, (one, *_), (other, *_) in compared(
                searched, form, sentences(model, 64, draw), beam_size, (1, 9, 33), draw
            ):
                total += 1
                differing += one.pieces != other.pieces
                if one.pieces == other.pieces:
                    largest = max(largest, abs(one.score - other.score))
    print(f"{name}: {differing} of {total} lines differ, scores by up to {largest:.2g}")
    assert differing <= BF16_LINES * total
    assert largest <= BF16_SCORE


@pytest.mark.parametrize("name", CELLS.names())
@torch.no_grad()
def test_a_position_has_the_same_bits_however_many_follow(name: str) -> None:
    """How far a sentence is padded depends on the longest one in its batch."""
    torch.manual_seed(1)
    cell = CELLS.get(name)(24, 40).eval()
    inputs = torch.randn(3, 19, 24)
    state = tuple(torch.randn(3, width) for width in cell.state_sizes.values())
    outputs, _ = cell(inputs, state)
    for length in (1, 2, 7, 8, 9, 18):
        assert torch.equal(cell(inputs[:, :length], state)[0], outputs[:, :length])
