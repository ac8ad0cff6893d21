"""Every attention follows its paper's equations, computed here for one sentence and one query at a time."""

from __future__ import annotations

import pytest
import torch
from nmt_lstm_attentions import (
    CoverageAttention,
    EntmaxAttention,
    LocalAttention,
    LocationAttention,
    MonotonicAttention,
)

from nmt_lstm.testing import AttentionSubject

SIZES = {"query_size": 6, "memory_size": 8}
LENGTHS = (6, 4, 1)


def attend_randomly(attention, steps: int = 4):
    """Return random queries and source states, and the result of an attention with random parameters."""
    torch.manual_seed(1)
    attention = attention.double()
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.2)
    subject = AttentionSubject(type(attention), {}, 6, 8)
    queries = subject.queries(steps=steps, dtype=torch.float64)
    source, is_token = subject.source(LENGTHS, dtype=torch.float64)
    memory = attention.prepare(source, is_token)
    return queries, source, attention(queries, memory, attention.initial_state(memory))


def additive(attention, query, keys, added=0.0):
    """Return the scores v . tanh(W q + U k + added + b) of all positions."""
    hidden = attention.query.weight @ query + keys @ attention.key.weight.t() + added + attention.query.bias
    return torch.tanh(hidden) @ attention.vector


def check_equations(result, source, expected_weights, attention) -> None:
    """Check weights, contexts and gradients against expected weights of each sentence and query."""
    contexts = []
    for row, length in enumerate(LENGTHS):
        for step in range(len(expected_weights[row])):
            torch.testing.assert_close(result.weights[row, step, :length], expected_weights[row][step])
            assert result.weights[row, step, length:].eq(0).all()
            contexts.append(expected_weights[row][step] @ source[row, :length])
    expected = torch.stack(contexts).view(result.context.shape)
    torch.testing.assert_close(result.context, expected)
    parameters = list(attention.parameters())
    gradients = torch.autograd.grad(result.context.square().sum(), parameters, allow_unused=True)
    expected_gradients = torch.autograd.grad(expected.square().sum(), parameters, allow_unused=True)
    for gradient, exact in zip(gradients, expected_gradients, strict=True):
        assert gradient is not None
        torch.testing.assert_close(gradient, exact)


@pytest.mark.parametrize("fertility", [0.0, 3.0])
def test_coverage_follows_its_equations(fertility) -> None:
    """Tu et al. 2016."""
    attention = CoverageAttention(**SIZES, fertility=fertility)
    queries, source, result = attend_randomly(attention)
    expected_weights = []
    for row, length in enumerate(LENGTHS):
        keys = source[row, :length]
        fertilities = (
            fertility * torch.sigmoid(attention.worth(keys)[:, 0])
            if fertility
            else torch.ones(length).double()
        )
        total, rows = torch.zeros(length).double(), []
        for query in queries[row]:
            added = (total / fertilities)[:, None] * attention.coverage
            rows.append(torch.softmax(additive(attention, query, keys, added), 0))
            total = total + rows[-1]
        expected_weights.append(rows)
    check_equations(result, source, expected_weights, attention)


def test_coverage_changes_scores_and_is_trained() -> None:
    """Earlier weights lower a score here, and the gradient reaches the coverage parameter through them."""
    attention = CoverageAttention(**SIZES)
    with torch.no_grad():
        attention.coverage.fill_(-5.0)
        attention.vector.fill_(1.0)
        attention.query.weight.zero_()
    source = torch.randn(1, 5, 8)
    memory = attention.prepare(source, torch.ones(1, 5, dtype=torch.bool))
    first = torch.zeros(1, 1, 6, requires_grad=True)
    before = attention(first, memory, attention.initial_state(memory))
    after = attention(torch.zeros(1, 1, 6), memory, before.state)
    position = int(before.weights.argmax())
    assert after.weights[0, 0, position] < before.weights[0, 0, position]
    (gradient,) = torch.autograd.grad(after.weights[0, 0, position], attention.coverage)
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("cumulative", [False, True])
def test_location_follows_its_equations(cumulative) -> None:
    """Chorowski et al. 2015."""
    attention = LocationAttention(**SIZES, filters=3, width=5, cumulative=cumulative)
    queries, source, result = attend_randomly(attention)
    expected_weights = []
    for row, length in enumerate(LENGTHS):
        keys, rows = source[row, :length], []
        last = total = torch.zeros(length).double()
        for query in queries[row]:
            features = torch.zeros(length, 3).double()
            for channel, values in enumerate([last, total][: 1 + cumulative]):
                for j in range(length):
                    for offset in range(5):
                        if 0 <= j + offset - 2 < length:
                            features[j] += (
                                attention.filters.weight[:, channel, offset] * values[j + offset - 2]
                            )
            last = torch.softmax(
                additive(attention, query, keys, features @ attention.location.weight.t()), 0
            )
            total = total + last
            rows.append(last)
        expected_weights.append(rows)
    check_equations(result, source, expected_weights, attention)


def test_local_follows_its_equations() -> None:
    """Luong et al. 2015, the Gaussian within the score."""
    attention = LocalAttention(**SIZES, reach=3.0)
    queries, source, result = attend_randomly(attention)
    expected_weights = []
    for row, length in enumerate(LENGTHS):
        keys, rows = source[row, :length] @ attention.key.weight.t(), []
        for query in queries[row]:
            hidden = torch.tanh(attention.query.weight @ query + attention.query.bias)
            center = (length - 1) * torch.sigmoid(attention.vector @ hidden)
            gauss = torch.exp(-((torch.arange(length) - center) ** 2) / (2 * 1.5**2))
            weights = torch.exp(keys @ query) * gauss
            rows.append(weights / weights.sum())
        expected_weights.append(rows)
    check_equations(result, source, expected_weights, attention)


def test_monotonic_in_training_follows_its_equations() -> None:
    """Raffel et al. 2017, the expectation as the paper sums it."""
    attention = MonotonicAttention(**SIZES, noise=0.0).train()
    queries, source, result = attend_randomly(attention)
    expected_weights = []
    for row, length in enumerate(LENGTHS):
        keys, rows = source[row, :length], []
        last = torch.eye(length).double()[0]
        for query in queries[row]:
            scores = (
                additive(attention, query, keys) * attention.gain / attention.vector.norm() + attention.offset
            )
            p = torch.cat([torch.sigmoid(scores)[:-1], torch.ones(1).double()])
            last = torch.stack(
                [p[j] * sum(last[k] * torch.prod(1 - p[k:j]) for k in range(j + 1)) for j in range(length)]
            )
            rows.append(last)
        expected_weights.append(rows)
    check_equations(result, source, expected_weights, attention)


def test_monotonic_at_inference_never_moves_backwards() -> None:
    attention = MonotonicAttention(**SIZES).eval()
    queries, source, result = attend_randomly(attention, steps=8)
    assert set(result.weights.unique().tolist()) == {0.0, 1.0}
    positions = result.weights.argmax(-1)
    assert (positions.diff(dim=1) >= 0).all()
    for row, length in enumerate(LENGTHS):
        position = 0
        for step, query in enumerate(queries[row]):
            scores = (
                additive(attention, query, source[row, :length]) * attention.gain / attention.vector.norm()
            )
            while position < length - 1 and scores[position] + attention.offset < 0:
                position += 1
            assert positions[row, step] == position


def test_monotonic_uses_noise_in_training_only() -> None:
    attention = MonotonicAttention(**SIZES, noise=2.0).double().train()
    subject = AttentionSubject(MonotonicAttention, {}, 6, 8)
    memory = attention.prepare(*subject.source(LENGTHS, dtype=torch.float64))
    queries = subject.queries(dtype=torch.float64)
    first, second = (attention(queries, memory, attention.initial_state(memory)).weights for _ in range(2))
    assert not torch.equal(first, second)
    attention.eval()
    first, second = (attention(queries, memory, attention.initial_state(memory)).weights for _ in range(2))
    assert torch.equal(first, second)


def by_bisection(scores, power):
    """Return the distribution max(0, (alpha - 1) z - t) ^ (1 / (alpha - 1)), with t found by bisection."""
    scaled = scores * (power - 1)
    low, high = scaled.max() - 1.0, scaled.max()
    for _ in range(200):
        middle = (low + high) / 2
        total = ((scaled - middle).clamp_min(0) ** (1 / (power - 1))).sum()
        low, high = (middle, high) if total > 1 else (low, middle)
    return (scaled - low).clamp_min(0) ** (1 / (power - 1))


@pytest.mark.parametrize(("weights", "power"), [("entmax", 1.5), ("sparsemax", 2.0)])
def test_entmax_follows_its_equations(weights, power) -> None:
    """Peters et al. 2019; Martins and Astudillo 2016."""
    attention = EntmaxAttention(**SIZES, weights=weights, temperature=2.0)
    queries, source, result = attend_randomly(attention)
    zeros = 0
    for row, length in enumerate(LENGTHS):
        keys = source[row, :length] @ attention.key.weight.t()
        for step, query in enumerate(queries[row]):
            expected = by_bisection(keys @ query / 2.0, power)
            torch.testing.assert_close(result.weights[row, step, :length], expected)
            zeros += int((expected == 0).sum())
    assert zeros > 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: CoverageAttention(**SIZES, fertility=-1.0),
            "fertility.* -1.0",
        ),
        (lambda: LocationAttention(**SIZES, width=4), "width.* 4"),
        (lambda: LocalAttention(**SIZES, reach=0.0), "reach.* 0.0"),
        (
            lambda: MonotonicAttention(**SIZES, noise=-1.0),
            "noise.* -1.0",
        ),
        (lambda: EntmaxAttention(**SIZES, temperature=0.0), "temperature.* 0.0"),
    ],
)
def test_impossible_options_are_rejected(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()
