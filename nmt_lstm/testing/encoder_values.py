"""Checks of an encoder's first call, its gradients, its results in bf16 and as prepared for inference, and its trace."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from nmt_lstm.encoders.encoder import Encoder, check_encoded
from nmt_lstm.errors import PluginResultError
from nmt_lstm.inference.inference_model import prepare_children
from nmt_lstm.inference.onnx.exporter import BATCH, SOURCE
from nmt_lstm.inference.onnx.graphs import unroll_cells
from nmt_lstm.numerics.inference_linear import InferencePrecision
from nmt_lstm.testing.failure import Comparison, ConformanceFailure
from nmt_lstm.testing.gradients import check_bf16, check_finite_differences, check_reached, gradients_of
from nmt_lstm.testing.subject import EncoderSubject
from nmt_lstm.testing.tracing import check_traced

__all__ = [
    "bf16_is_near_float32",
    "encoder_can_be_traced",
    "first_call_works",
    "gradients_are_right",
    "gradients_reach_every_parameter",
    "prepared_products_compute_the_same",
]

MAX_INT8_DISTANCE = 0.15


def first_call_works(subject: EncoderSubject) -> str:
    """The encoder can be built, in training too, and returns an Encoded."""
    encoder = subject.build().train()
    embedded, is_token = subject.source((3, 2))
    try:
        check_encoded(encoder, encoder(embedded, is_token), is_token)
    except PluginResultError as problem:
        hint = "Return Encoded(states, is_token, summary); output_size and summary_size declare the widths."
        raise ConformanceFailure(str(problem).partition(". ")[0], hint) from problem
    return f"{sum(parameter.numel() for parameter in encoder.parameters()):,} parameters"


def gradients_reach_every_parameter(subject: EncoderSubject) -> str:
    """In training, a gradient of states and summary reaches each parameter and every embedding, and none on padding."""
    encoder = subject.build().train()
    embedded, is_token = subject.source()
    embedded.requires_grad_()
    results = subject.read(encoder, embedded, is_token)
    names = ["the embeddings", *(name for name, _ in encoder.named_parameters())]
    gradients = gradients_of(results, [embedded, *encoder.parameters()])
    numbers = check_reached(names, gradients)
    (of_embedded, *_) = gradients
    assert of_embedded is not None
    if bool(of_embedded[~is_token].any()):
        raise ConformanceFailure(
            "a gradient reaches padding", "Mask with is_token before positions are mixed."
        )
    if not bool(of_embedded[is_token].any(-1).all()):
        raise ConformanceFailure(
            "no gradient reaches one of the pieces", "Every piece of a sentence must be read."
        )
    return numbers


def gradients_are_right(subject: EncoderSubject) -> str:
    """In float64, gradients agree with finite differences (torch.autograd.gradcheck)."""
    encoder = subject.build(torch.float64)
    names = [name for name, _ in encoder.named_parameters()]
    embedded, is_token = subject.source(dtype=torch.float64)

    def run(embedded: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
        parameters = {f"encoder.{name}": value for name, value in zip(names, values, strict=True)}
        results: tuple[Tensor, ...] = torch.func.functional_call(
            _Read(encoder), parameters, (embedded, is_token)
        )
        return results

    return check_finite_differences(run, [embedded, *encoder.parameters()])


class _Read(nn.Module):
    """`EncoderSubject.read` as a module whose parameters can be replaced."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, embedded: Tensor, is_token: Tensor) -> tuple[Tensor, Tensor]:
        """Return states and summary."""
        return EncoderSubject.read(self.encoder, embedded, is_token)


def bf16_is_near_float32(subject: EncoderSubject) -> str:
    """Under bf16 autocast, states, summary and gradients are finite and close to those in float32."""
    encoder = subject.build()
    embedded, is_token = subject.source()
    hint = "Under autocast, products are in bf16; add and normalize in float32."
    return check_bf16(lambda: subject.read(encoder, embedded, is_token), list(encoder.parameters()), hint)


def prepared_products_compute_the_same(subject: EncoderSubject) -> str:
    """Prepared for inference, where modules `Linear` and cells are replaced, results are equal in float32 and close in int8."""
    encoder, call = subject.build(), subject.source()
    expected = subject.run(encoder, call)
    hint = "Call modules of type nmt_lstm.Linear; inference replaces them, and their weight then has a different format."
    comparison = Comparison(1e-5, hint)
    for number, (actual, result) in enumerate(
        zip(subject.run(_prepared(encoder, "float32"), call), expected, strict=True)
    ):
        comparison.add(f"result {number} in float32", actual, result)
    in_int8 = subject.run(_prepared(encoder, "int8"), call)
    distance = max(
        float((actual - result).norm() / result.norm())
        for actual, result in zip(in_int8, expected, strict=True)
    )
    if not distance <= MAX_INT8_DISTANCE:
        raise ConformanceFailure(
            f"results in int8 have a relative distance of {distance:.1e} from those in float32, allowed {MAX_INT8_DISTANCE}",
            hint,
        )
    return f"{comparison}; relative distance in int8 {distance:.1e}, allowed {MAX_INT8_DISTANCE}"


def _prepared(encoder: Encoder, precision: InferencePrecision) -> Encoder:
    encoder = copy.deepcopy(encoder)
    with torch.no_grad():
        prepare_children(encoder, precision, in_lists=True)
    return encoder


def encoder_can_be_traced(subject: EncoderSubject) -> str:
    """The encoder can be traced for any number of sentences and positions, without a branch on a value, as ONNX requires."""
    encoder = subject.build()
    unroll_cells(encoder)

    def call(embedded: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        (is_token,) = others
        return subject.read(encoder, embedded, is_token)

    dimensions = [{0: BATCH, 1: SOURCE}, {0: BATCH, 1: SOURCE}]
    return check_traced(encoder, call, subject.source((7, 5)), dimensions)
