"""A recorded function and its gradients, replayed on other values, against torch itself."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.recurrence.program import INTO, Program
from nmt_lstm.recurrence.tape import Tape, UntapeableError

WEIGHT = torch.linspace(0.5, 1.5, 6, dtype=torch.float64).requires_grad_()

COUNT = torch.zeros((), dtype=torch.float64)

FUNCTIONS = {
    "two results": lambda a, b: (torch.sigmoid(a) * b, torch.tanh(a + b)),
    "one used twice": lambda a, b: (a * a + a * b, a),
    "passed through": lambda a, b: (a, b + 1),
    "nothing of the first": lambda a, b: (torch.tanh(b),),
    "numbers": lambda a, b: (1.0 - a / 2 + 3 * b - 0.5, 2 / (b.abs() + 1)),
    "parameter": lambda a, b: (a * WEIGHT + torch.exp(-WEIGHT) * b,),
    "powers": lambda a, b: ((a * a + 0.1).sqrt() + b.square() + (a.abs() + 1).log() + torch.log1p(b.abs()),),
    "exponentials": lambda a, b: (functional.softplus(a) + torch.expm1(b) + torch.exp(-a),),
    "extremes": lambda a, b: (torch.maximum(a, b) - torch.minimum(a, 2 * b) + a.clamp_min(0.1) + b.clamp_max(0.2),),
    "choices": lambda a, b: (torch.where(a > b, a * b, b) + torch.relu(a) + a.clamp(-0.3, 0.3),),
    "mixtures": lambda a, b: (torch.lerp(a, b, torch.sigmoid(a)), torch.addcmul(a, b, b, value=0.5)),
    "reciprocals": lambda a, b: ((a.abs() + 1).reciprocal() + (b.square() + 1).rsqrt() + b.sgn() * a,),
    "rows normalised": lambda a, b: (functional.layer_norm(a, (6,), WEIGHT) + functional.softmax(b, -1),),
    "parts": lambda a, b: (torch.cat([a.chunk(2, -1)[1], b.chunk(2, -1)[0]], -1), a[:, :1] * b),
    "sums of rows": lambda a, b: (a * b.sum(-1, keepdim=True) + b.mean(-1, keepdim=True),),
    "products in sums": lambda a, b: (
        (a * b + b) * (b - a * b),
        (a + (-b)) * (a * a + b * b) + (-a - b) * ((a > 0) * b + a),
    ),
    "products used twice": lambda a, b: ((product := a * b) + b, product * 2),
    "changed in place": lambda a, b: ((a * b).add_(a).add_(1.0),),
    "turned": lambda a, b: (a.t().contiguous().tanh().t() * b,),
}  # fmt: skip


def drawn(count: int, seed: int = 1) -> list[torch.Tensor]:
    """Tensors of four rows."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(4, 6, dtype=torch.float64, generator=generator) for _ in range(count)]


def programs(function) -> tuple[Tape, Program, Program, torch.Tensor]:
    """A function of two tensors recorded, both of its programs, and where the weight's gradient is summed up."""
    tape = Tape(
        lambda given: function(*given), [part.requires_grad_() for part in drawn(2, seed=2)], [WEIGHT]
    )
    sources = {place: number for number, place in enumerate(tape.inputs)}
    forward = Program(tape, sources, [(place, number) for number, place in enumerate(tape.results)])
    sources |= {place: 2 + number for number, place in enumerate(tape.seeds) if place is not None}
    total = torch.zeros_like(WEIGHT)
    *of_inputs, of_weight = tape.gradients
    targets = [(place, number) for number, place in enumerate(of_inputs) if place is not None]
    totals = [(of_weight, total)] if of_weight is not None else []
    return tape, forward, Program(tape, sources, targets, totals), total


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_replay_on_other_values_is_the_function_and_its_gradient(function) -> None:
    _, forward, backward, total = programs(function)
    for seed in (3, 4):
        *values, one_seed, other_seed = drawn(4, seed)
        leaves = [*(part.clone().requires_grad_() for part in values), WEIGHT]
        expected = function(*leaves[:2])
        pairs = [
            (result, given)
            for result, given in zip(expected, (one_seed, other_seed), strict=False)
            if result.requires_grad
        ]
        gradients = torch.autograd.grad(
            [result for result, _ in pairs], leaves, [given for _, given in pairs], allow_unused=True
        )
        results = [torch.full_like(values[0], torch.nan) for _ in expected]
        forward.run(values, results)
        found = [torch.zeros_like(part) for part in values]
        total.zero_()
        backward.run([*values, one_seed, other_seed], found)
        for seen, wanted in zip(results, expected, strict=True):
            torch.testing.assert_close(seen, wanted.detach(), rtol=1e-12, atol=1e-12)
        for seen, wanted in zip([*found, total], gradients, strict=True):
            wanted = torch.zeros_like(seen) if wanted is None else wanted
            torch.testing.assert_close(seen, wanted, rtol=1e-12, atol=1e-12)


def test_what_is_given_or_wanted_for_nothing_disturbs_nothing() -> None:
    _, forward, backward, total = programs(lambda a, b: (torch.tanh(a) * WEIGHT, b.detach() * 2))
    values = drawn(4)
    found = [torch.full_like(values[0], 7.0) for _ in range(5)]
    forward.run([*values[:2], *values], [*(torch.empty_like(part) for part in values)])
    # No gradient of the second is wanted, and none of its result is given.
    backward.run(values, found)
    expected = (values[2] * torch.tanh(values[0])).sum(0)
    torch.testing.assert_close(total, expected, rtol=1e-12, atol=1e-12)
    assert all(bool((each == 7.0).all()) for each in found[1:])


def test_every_operator_that_writes_into_buffers_is_tried_and_exists() -> None:
    seen = {str(call.operator) for function in FUNCTIONS.values() for call in programs(function)[0].calls}
    assert set(INTO) <= seen
    for overload, _ in INTO.values():
        packet, _, suffix = overload.partition(".")
        assert suffix in getattr(torch.ops.aten, packet).overloads()


def test_only_what_results_depend_on_is_asked_for() -> None:
    _, forward, backward, _ = programs(lambda a, b: (torch.tanh(b), b * 2))
    assert forward.used == {1}
    assert backward.used == {1, 2, 3}


def test_products_and_their_sums_are_one_call() -> None:
    _, forward, _, _ = programs(lambda a, b: (torch.tanh(a * b + b) - a * a + (-b),))
    # The product with its sum, tanh, the product with its difference, and the difference, into what is wanted.
    assert len(forward) == 4


def test_buffers_are_used_again() -> None:
    def long(a, b):
        for _ in range(50):
            a = torch.sigmoid(a + b)
        return (a,)

    _, forward, _, _ = programs(long)
    assert forward.buffers == 1


def test_sums_are_found_only_where_both_parts_enter_in_no_other_way() -> None:
    for function, expected in {
        (lambda a, b: (torch.tanh(a + b),)): True,
        (lambda a, b: (torch.tanh(b + a),)): True,
        (lambda a, b: (torch.tanh(a + b) * (a + b),)): False,
        (lambda a, b: (torch.tanh(a + b) * a,)): False,
        (lambda a, b: (torch.tanh(a - b),)): False,
        (lambda a, b: (torch.tanh(torch.add(a, b, alpha=2)),)): False,
        (lambda a, b: (torch.tanh(a) + torch.tanh(b),)): False,
        (lambda a, b: (torch.tanh(a + b) * torch.sigmoid(b.detach()),)): False,
    }.items():
        tape = programs(function)[0]
        assert (tape.sums([0], [1]) is not None) == expected


def in_place(a, b):
    return (a + COUNT.add_(1) * b,)


def random(a, b):
    return (functional.dropout(a, 0.5) + b,)


def looks_at_values(a, b):
    return (a + b if (b > 0).all() else a - b,)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (in_place, "aten.add_.Tensor changes what it was given"),
        (random, "draws random numbers"),
        (looks_at_values, "looks at values"),
    ],
)
def test_what_cannot_be_a_list_of_calls_is_refused(function, reason) -> None:
    with pytest.raises(UntapeableError, match=reason):
        programs(function)


class LooksAtValues(GatedCell):
    """An update that cannot be recorded."""

    gates = ("keep", "add")

    def update(self, x, h, state):
        sign = 1.0 if float(state[0].sum()) > 0 else -1.0
        return (torch.tanh(x.keep * h.keep + sign * (x.add + h.add)),)


class DrawsNumbers(GatedCell):
    """An update that would be another one when its gradient is computed."""

    gates = ("new",)

    def update(self, x, h, state):
        return (functional.dropout(torch.tanh(x.new + h.new), 0.5),)


def test_an_update_that_draws_random_numbers_is_refused_in_training() -> None:
    cell = DrawsNumbers(3, 4)
    with pytest.raises(
        ValueError, match="DrawsNumbers.update must be a function of its arguments, but .* draws random"
    ):
        cell(torch.randn(2, 6, 3), cell.initial_state(2))


def test_a_cell_that_cannot_be_recorded_is_swept_all_the_same() -> None:
    torch.manual_seed(1)
    cell = LooksAtValues(3, 4).double()
    inputs = torch.randn(2, 6, 3, dtype=torch.float64)
    found = []
    for take in (cell.unroll, lambda *given: Cell.forward(cell, *given)):
        outputs, (last,) = take(inputs, cell.initial_state(2))
        found.append(
            [outputs, *torch.autograd.grad((outputs.square().sum() + last.sum()), cell.parameters())]
        )
    for seen, expected in zip(*found, strict=True):
        torch.testing.assert_close(seen, expected)
