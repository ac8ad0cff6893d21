"""Checks of an attention's first call, its gradients, its results in bf16, and its trace."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.attention.attention import Attention
from nmt_lstm.inference.onnx.exporter import BATCH, SOURCE
from nmt_lstm.testing.gradients import check_bf16, check_finite_differences, check_reached, gradients_of
from nmt_lstm.testing.return_values import check_attended, check_memory
from nmt_lstm.testing.subject import AttentionSubject
from nmt_lstm.testing.tracing import check_traced

__all__ = [
    "bf16_is_near_float32",
    "first_call_works",
    "gradients_are_right",
    "gradients_reach_every_parameter",
    "step_can_be_traced",
]


def first_call_works(subject: AttentionSubject) -> str:
    """The attention can be built, and returns a Memory from `prepare` and an Attended from `forward`."""
    attention = subject.build().train()
    memory = attention.prepare(*subject.source((3, 2)))
    check_memory(memory)
    attended = attention(subject.queries(2, 1), memory, attention.initial_state(memory))
    check_attended(attended)
    return f"{sum(parameter.numel() for parameter in attention.parameters()):,} parameters"


def step_can_be_traced(subject: AttentionSubject) -> str:
    """A query can be traced for any number of rows and source positions, without a branch on a value, as ONNX requires."""
    attention = subject.build()
    source, is_token = subject.source()

    def call(query: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        source, is_token = others
        memory = attention.prepare(source, is_token)
        attended = attention(query, memory, attention.initial_state(memory))
        return attended.context, attended.weights, *attended.state

    examples = [subject.queries(steps=1), source, is_token]
    return check_traced(attention, call, examples, [{0: BATCH}, {0: BATCH, 1: SOURCE}, {0: BATCH, 1: SOURCE}])


def gradients_reach_every_parameter(subject: AttentionSubject) -> str:
    """In training, a gradient of the contexts reaches each parameter and the source states."""
    attention = subject.build().train()
    source, is_token = subject.source()
    source.requires_grad_()
    attended = subject.attend(attention, subject.queries(), attention.prepare(source, is_token))
    names = ["the source states", *(name for name, _ in attention.named_parameters())]
    return check_reached(names, gradients_of([attended.context], [source, *attention.parameters()]))


def gradients_are_right(subject: AttentionSubject) -> str:
    """In float64, gradients agree with finite differences (torch.autograd.gradcheck)."""
    attention = subject.build(torch.float64)
    names = [name for name, _ in attention.named_parameters()]
    source, is_token = subject.source(dtype=torch.float64)

    def run(queries: Tensor, source: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
        module = _Attend(attention, subject)
        parameters = {f"attention.{name}": value for name, value in zip(names, values, strict=True)}
        results: tuple[Tensor, ...] = torch.func.functional_call(
            module, parameters, (queries, source, is_token)
        )
        return results

    queries = subject.queries(steps=2, dtype=torch.float64)
    return check_finite_differences(run, [queries, source, *attention.parameters()])


class _Attend(nn.Module):
    """`prepare` and `forward` in one call, as a module whose parameters can be replaced."""

    def __init__(self, attention: Attention, subject: AttentionSubject) -> None:
        super().__init__()
        self.attention = attention
        self.subject = subject

    def forward(self, queries: Tensor, source: Tensor, is_token: Tensor) -> tuple[Tensor, ...]:
        """Return contexts and weights."""
        memory = self.attention.prepare(source, is_token)
        attended = self.subject.attend(self.attention, queries, memory)
        return attended.context, attended.weights


def bf16_is_near_float32(subject: AttentionSubject) -> str:
    """Under bf16 autocast, contexts, weights and gradients are finite and close to those in float32."""
    attention = subject.build()
    source, is_token = subject.source()

    def run() -> tuple[Tensor, ...]:
        attended = subject.attend(attention, subject.queries(), attention.prepare(source, is_token))
        return attended.context, attended.weights

    hint = "Under autocast, products are in bf16; compute the weights in float32, like masked_softmax."
    return check_bf16(run, list(attention.parameters()), hint)
