"""The tasks: their sequences, the expected answers, and the loss of a network without memory."""

from __future__ import annotations

import functools
import itertools
import math

import torch
from torch import Generator, Tensor

from nmt_lstm.errors import ConfigurationError, nearest
from nmt_lstm.lab.probes.task import Classification, Episode, Regression, Task, one_hot

__all__ = ["TASKS", "balanced_strings", "find_task"]

_SYMBOLS = 8  # size of the alphabet for copying and sorting
_COPIED, _BLANK, _DELIMITER = 10, 8, 9  # for copying: number of symbols, and two special ones
_SHOWN, _PERIODS = 25, (8.0, 24.0)  # for the sine


class Adding(Regression):
    """Each position has a random number from [0, 1) and a mark; one number in each half of the sequence is marked."""

    name = "adding"
    question = "add the two marked numbers of a sequence, one in each half"
    source = "Hochreiter and Schmidhuber 1997, section 5.4; with one mark in each half Arjovsky et al. 2016"
    baseline_text = "1/6, the variance of the sum: the loss of always answering 1"
    input_size = 2

    def baseline(self, length: int) -> float:
        """Return 1/6, the variance of the sum of two independent numbers from [0, 1)."""
        return 1 / 6

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs of shape (B, T, 2) and targets of shape (B, 1)."""
        half = length // 2
        values = torch.rand(rows, length, generator=generator)
        first = torch.randint(0, half, (rows, 1), generator=generator)
        second = torch.randint(half, length, (rows, 1), generator=generator)
        marks = torch.zeros(rows, length).scatter_(1, first, 1.0).scatter_(1, second, 1.0)
        return Episode(torch.stack([values, marks], 2), (values * marks).sum(1, keepdim=True))


class Copying(Classification):
    """Ten of eight symbols, T - 1 blanks, a delimiter, ten blanks; the answer is blank up to the delimiter."""

    name = "copy"
    question = "repeat ten symbols after a pause"
    source = "Hochreiter and Schmidhuber 1997; in this form Arjovsky et al. 2016"
    baseline_text = "10 ln 8 / (T + 20): correct blanks, guessed symbols"
    unit = "nats per position"
    input_size = 10
    output_size = 9

    def baseline(self, length: int) -> float:
        """Return the mean loss of correct blanks and guessed symbols over all T + 20 positions."""
        return _COPIED * math.log(_SYMBOLS) / (length + 2 * _COPIED)

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs of shape (B, T+20, 10) and targets of shape (B, T+20)."""
        symbols = torch.randint(0, _SYMBOLS, (rows, _COPIED), generator=generator)
        blanks = torch.full((rows, length + _COPIED), _BLANK)
        shown = torch.cat([symbols, blanks], 1)
        shown[:, _COPIED + length - 1] = _DELIMITER
        return Episode(one_hot(shown, self.input_size), torch.cat([blanks, symbols], 1))


class Parity(Classification):
    """T random bits; from the second on, the answer is the parity of all bits so far."""

    name = "parity"
    question = "decide after each of T bits whether the number of ones so far is odd"
    source = (
        "Minsky and Papert 1969; for recurrent networks Hochreiter and Schmidhuber 1997, Delétang et al. 2023"
    )
    baseline_text = "ln 2: guessing"
    input_size = 2
    output_size = 2

    def baseline(self, length: int) -> float:
        """Return ln 2: if any bit is unknown, both answers are equally likely."""
        return math.log(2)

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs of shape (B, T, 2) and targets of shape (B, T-1)."""
        bits = torch.randint(0, 2, (rows, length), generator=generator)
        return Episode(one_hot(bits, 2), bits.cumsum(1)[:, 1:] % 2)


class Dyck(Classification):
    """Half of the strings are balanced; of the others, half have one flipped bracket and half only a wrong order."""

    name = "dyck"
    question = "decide whether T brackets are balanced (Dyck-1), which takes a counter"
    source = "Gers and Schmidhuber 2001; Suzgun et al. 2019; Weiss et al. 2018"
    baseline_text = "ln 2: half of the strings are balanced"
    input_size = 2
    output_size = 2
    shortest = 4
    multiple = 2

    def baseline(self, length: int) -> float:
        """Return ln 2: half of the strings are balanced."""
        return math.log(2)

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs of shape (B, T, 2), with opening brackets as class 1, and targets of shape (B, 1), 1 if balanced."""
        opens = balanced_strings(length, rows, generator)
        kind = torch.randint(0, 4, (rows, 1), generator=generator)
        position = torch.randint(0, length, (rows, 1), generator=generator)
        flipped = opens.scatter(1, position, 1 - opens.gather(1, position))
        # Rotated to an odd position, a balanced string starts inside a pair and closes a bracket that was not opened.
        start = 2 * torch.randint(0, length // 2, (rows, 1), generator=generator) + 1
        rotated = opens.gather(1, (torch.arange(length) + start) % length)
        shown = torch.where(kind == 0, flipped, torch.where(kind == 1, rotated, opens))
        return Episode(one_hot(shown, 2), (kind >= 2).long())


def balanced_strings(length: int, rows: int, generator: Generator) -> Tensor:
    """Return balanced strings of shape (rows, length), 1 for opening brackets, all balanced strings equally likely.

    Exactly one rotation of a string with one extra opening bracket has more opening than closing brackets in every
    prefix (cycle lemma, Dvoretzky and Motzkin 1947); without its first bracket, that rotation is balanced.
    """
    order = torch.rand(rows, length + 1, generator=generator).argsort(1)
    opens = (order <= length // 2).long()
    depth = (2 * opens - 1).cumsum(1)
    # The last position of minimum depth: the depth stays above it afterwards.
    last_lowest = length - depth.flip(1).argmin(1, keepdim=True)
    rotated = opens.gather(1, (torch.arange(length + 1) + last_lowest + 1) % (length + 1))
    return rotated[:, 1:]


class Sorting(Classification):
    """T of eight symbols, then T positions for the answer: the symbols in ascending order."""

    name = "sort"
    question = "sort T symbols, which takes a count of each"
    source = "after the priority sort of Graves et al. 2014"
    baseline_text = "mean entropy of the order statistics: the distribution of symbols at each rank"
    input_size = _SYMBOLS + 1
    output_size = _SYMBOLS

    def baseline(self, length: int) -> float:
        """Return the mean over i of the entropy of the i-th smallest of T symbols, which needs only a position counter."""
        return _mean_order_entropy(length)

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs of shape (B, 2T, 9) and targets of shape (B, T)."""
        symbols = torch.randint(0, _SYMBOLS, (rows, length), generator=generator)
        blanks = torch.full((rows, length), _SYMBOLS)
        return Episode(one_hot(torch.cat([symbols, blanks], 1), self.input_size), symbols.sort(1).values)


@functools.cache
def _mean_order_entropy(length: int) -> float:
    """Return the mean entropy, in nats, of the symbol at each rank among `length` uniform draws."""
    # The symbol of rank r is among the first s symbols exactly if at least r draws are.
    reached = [[0.0] * length]
    for symbols in range(1, _SYMBOLS):
        share = symbols / _SYMBOLS
        chances = [math.exp(_log_binomial(length, count, share)) for count in range(length, 0, -1)]
        reached.append(list(itertools.accumulate(chances))[::-1])
    reached.append([1.0] * length)
    entropies = (
        -chance * math.log(chance)
        for before, after in itertools.pairwise(reached)
        for low, high in zip(before, after, strict=True)
        if (chance := high - low) > 0.0
    )
    return math.fsum(entropies) / length


def _log_binomial(draws: int, count: int, share: float) -> float:
    """Return the log probability of `count` hits in `draws` with probability `share` each, 0 < share < 1."""
    ways = math.lgamma(draws + 1) - math.lgamma(count + 1) - math.lgamma(draws - count + 1)
    return ways + count * math.log(share) + (draws - count) * math.log1p(-share)


class Sine(Regression):
    """25 values of a wave with unknown period (8 to 24 positions) and phase, then T positions without input to continue it."""

    name = "sine"
    question = "continue a sine wave for T positions"
    source = "after the sine wave generator of Jaeger 2001"
    baseline_text = "1/2, the variance of the wave: the loss of always answering 0"
    input_size = 2

    def baseline(self, length: int) -> float:
        """Return 1/2, the mean square of a sine with random phase."""
        return 0.5

    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Return inputs of shape (B, 25+T, 2), each value with a mark that it is shown, and targets of shape (B, T)."""
        shortest, longest = _PERIODS
        period = shortest + (longest - shortest) * torch.rand(rows, 1, generator=generator)
        phase = 2 * math.pi * torch.rand(rows, 1, generator=generator)
        wave = torch.sin(2 * math.pi * torch.arange(_SHOWN + length) / period + phase)
        shown = (torch.arange(_SHOWN + length) < _SHOWN).to(torch.float32).expand(rows, -1)
        return Episode(torch.stack([wave * shown, shown], 2), wave[:, _SHOWN:])


TASKS: dict[str, Task] = {
    task.name: task for task in (Adding(), Copying(), Parity(), Dyck(), Sorting(), Sine())
}


def find_task(name: str) -> Task:
    """Return the task with this name.

    Raises:
        ConfigurationError: the name is unknown; the message has the nearest name and all names.
    """
    if name not in TASKS:
        raise ConfigurationError(
            f"unknown task '{name}'.{nearest(name, TASKS)} Known: {', '.join(TASKS)}.",
            value=name,
            known=TASKS,
        )
    return TASKS[name]
