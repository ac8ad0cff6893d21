"""The tasks: sequences and answers compared with plain Python, and baselines compared with memoryless answers."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import pytest
import torch

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.probes.catalogue import TASKS, balanced_strings, find_task
from nmt_lstm.lab.probes.task import Classification


def seeded(number: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def draw(name: str, length: int, rows: int, seed: int = 1):
    return TASKS[name].draw(length, rows, seeded(seed))


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("length", [4, 10])
def test_tasks_draw_the_declared_shapes(task, length) -> None:
    inputs, targets = task.draw(length, 5, seeded())
    assert inputs.shape[0] == targets.shape[0] == 5
    assert inputs.shape[2] == task.input_size
    assert inputs.dtype == torch.float32
    assert length <= inputs.shape[1] <= 2 * length + 25
    assert 1 <= targets.shape[1] <= inputs.shape[1]
    loss = task.loss(torch.zeros(5, targets.shape[1], task.output_size), targets)
    assert loss.shape == ()
    if isinstance(task, Classification):
        assert int(targets.max()) < task.output_size


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_the_seed_determines_the_sequences(task) -> None:
    first, again, other = (task.draw(8, 6, seeded(number)) for number in (1, 1, 2))
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.targets, again.targets)
    assert not torch.equal(first.inputs, other.inputs)


@pytest.mark.parametrize("length", [4, 12])
@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_answers_by_position_alone_cost_the_baseline(task, length) -> None:
    targets = task.draw(length, 20_000, seeded(3)).targets
    if isinstance(task, Classification):
        chances = torch.nn.functional.one_hot(targets, task.output_size).float().mean(0)
        answers = chances.clamp(min=1e-30).log().expand(len(targets), -1, -1)
    else:
        answers = targets.mean(0).expand(len(targets), -1)[:, :, None]
    assert float(task.loss(answers, targets)) == pytest.approx(task.baseline(length), rel=0.03)


def test_baselines_are_the_published_ones() -> None:
    assert TASKS["copy"].baseline(100) == pytest.approx(0.173, abs=5e-4)
    assert TASKS["copy"].baseline(200) == pytest.approx(0.0945, abs=5e-5)
    assert TASKS["adding"].baseline(200) == pytest.approx(1 / 6)
    assert TASKS["adding"].solved_below(200) == pytest.approx(0.01)
    assert TASKS["parity"].baseline(50) == TASKS["dyck"].baseline(50) == pytest.approx(math.log(2))
    assert TASKS["sort"].baseline(2) == pytest.approx(order_entropy(2))


def order_entropy(length: int) -> float:
    """Return the mean entropy of the symbol at each rank, by enumerating all draws."""
    total = 0.0
    draws = [sorted(symbols) for symbols in itertools.product(range(8), repeat=length)]
    for rank in range(length):
        counts = [sum(symbols[rank] == symbol for symbols in draws) for symbol in range(8)]
        total -= sum(count / len(draws) * math.log(count / len(draws)) for count in counts if count)
    return total / length


def test_adding_marks_one_number_in_each_half() -> None:
    inputs, targets = draw("adding", 9, 200)
    for row, (target,) in zip(inputs.tolist(), targets.tolist(), strict=True):
        marked = [(index, value) for index, (value, mark) in enumerate(row) if mark]
        (first, a), (second, b) = marked
        assert first < 4 <= second
        assert target == pytest.approx(a + b)


def test_copy_shows_ten_symbols_a_pause_and_a_delimiter() -> None:
    inputs, targets = draw("copy", 5, 30)
    shown = inputs.argmax(2)
    assert shown.shape == targets.shape == (30, 25)
    for row, expected in zip(shown.tolist(), targets.tolist(), strict=True):
        assert all(symbol < 8 for symbol in row[:10])
        assert row[10:] == [8] * 4 + [9] + [8] * 10
        assert expected == [8] * 15 + row[:10]


def test_parity_counts_the_ones_so_far() -> None:
    inputs, targets = draw("parity", 7, 50)
    for bits, expected in zip(inputs.argmax(2).tolist(), targets.tolist(), strict=True):
        assert expected == [sum(bits[:end]) % 2 for end in range(2, 8)]


@pytest.mark.parametrize("length", [4, 6, 30])
def test_targets_say_whether_brackets_are_balanced(length) -> None:
    inputs, targets = draw("dyck", length, 400)
    unbalanced = set()
    for opens, (expected,) in zip(inputs.argmax(2).tolist(), targets.tolist(), strict=True):
        depths = list(itertools.accumulate(1 if bracket else -1 for bracket in opens))
        assert expected == int(min(depths) >= 0 and depths[-1] == 0)
        if not expected:
            unbalanced.add(depths[-1])
    assert unbalanced == {-2, 0, 2}
    assert 0.4 < float(targets.float().mean()) < 0.6


def test_all_balanced_strings_are_equally_likely() -> None:
    counts = Counter(map(tuple, balanced_strings(6, 10_000, seeded()).tolist()))
    assert len(counts) == 5  # the third Catalan number
    assert all(1850 < count < 2150 for count in counts.values())


def test_sort_expects_the_symbols_in_order() -> None:
    inputs, targets = draw("sort", 6, 50)
    for row, expected in zip(inputs.argmax(2).tolist(), targets.tolist(), strict=True):
        assert row[6:] == [8] * 6
        assert expected == sorted(row[:6])


def test_the_sine_continues_without_input() -> None:
    inputs, targets = draw("sine", 40, 20)
    shown, marks = inputs.double().unbind(2)
    assert marks.sum(1).tolist() == [25] * 20
    assert not shown[:, 25:].any()
    for wave, expected in zip(shown[:, :25], targets.double(), strict=True):
        # For any sine, x[t-1] + x[t+1] = 2 cos(2 pi / period) x[t].
        full = torch.cat([wave, expected])
        middle = full[1:-1]
        twice_cosine = ((full[:-2] + full[2:]) * middle).sum() / middle.square().sum()
        torch.testing.assert_close(full[:-2] + full[2:], twice_cosine * middle, atol=1e-4, rtol=0.0)
        assert 8.0 <= 2 * math.pi / math.acos(twice_cosine / 2) <= 24.0


def test_an_unknown_task_suggests_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'adding'") as caught:
        find_task("ading")
    assert (caught.value.value, caught.value.known) == ("ading", tuple(TASKS))
