"""The tree of exceptions: all of it is documented, can be pickled, and names the code of a plugin's author."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
import torch

import nmt_lstm.errors
from nmt_lstm.attention.attention import Attention
from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.linear_cell import LinearCell
from nmt_lstm.cells.stepwise_cell import StepwiseCell
from nmt_lstm.errors import (
    ConfigurationError,
    DivergenceError,
    FolderInUseError,
    LaunchError,
    MissingMethodError,
    NmtLstmError,
    NotTextError,
    PluginError,
    PluginResultError,
    UntrustedPluginError,
)

BRANCH = re.compile(r"^    (?P<indent>(?:[│ ]   )*)(?:[├└]── )?(?P<name>\w+Error) ", re.MULTILINE)


def documented_tree() -> dict[str, str]:
    """The base class of each exception in the picture of the module's docstring, by its name."""
    bases: dict[str, str] = {}
    ancestors: list[str] = []
    for branch in BRANCH.finditer(nmt_lstm.errors.__doc__):
        is_root = "── " not in branch[0]
        depth = 0 if is_root else 1 + len(branch["indent"]) // 4
        del ancestors[depth:]
        bases[branch["name"]] = ancestors[-1] if ancestors else ""
        ancestors.append(branch["name"])
    return bases


def tree_below(kind: type[NmtLstmError]) -> dict[str, str]:
    """The base class of each exception of the module below `kind`, by its name."""
    bases = {}
    for derived in kind.__subclasses__():
        if derived.__module__ == nmt_lstm.errors.__name__:
            bases |= {derived.__name__: kind.__name__, **tree_below(derived)}
    return bases


def test_the_documented_tree_is_the_real_one() -> None:
    assert documented_tree() == {"NmtLstmError": "", **tree_below(NmtLstmError)}


@pytest.mark.parametrize(
    "error",
    [
        ConfigurationError("wrong", key="training.epochs", value=0),
        DivergenceError(3, 0.1),
        FolderInUseError(Path("run"), 17),
        LaunchError("wrong", variable="RANK", value="2"),
        NotTextError(3, b"bytes"),
        PluginError("unknown", value="lsmt", known=["lstm"]),
        UntrustedPluginError("untrusted", target="one:Two", file=Path("one.py")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_pickling(error) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


class TwiceAsWide(GatedCell):
    gates = ("new",)

    def update(self, x, h, state):
        return (torch.cat([x.new, h.new], -1),)


class NotATensor(StepwiseCell):
    gates = ("new",)
    products = (("new", 1),)

    def advance(self, x, products, state):
        return (None,)


class WideOutput(Cell):
    def initial_state(self, batch_size):
        return (torch.zeros(batch_size, self.hidden_size),)

    def step(self, inputs, state):
        return inputs, state


class TwoStates(WideOutput):
    def step(self, inputs, state):
        return state[0], (*state, *state)


class OnlyOutput(WideOutput):
    def step(self, inputs, state):
        return state[0]


@pytest.mark.parametrize(
    ("part", "method", "words"),
    [
        (TwiceAsWide, "update", ("'hidden'", "8)", "4)")),
        (NotATensor, "advance", ("NoneType", "'hidden'")),
        (WideOutput, "step", ("'output'", "(2, 3)", "(2, 4)")),
        (TwoStates, "step", ("2 tensors", "hidden")),
        (OnlyOutput, "step", ("a tensor", "output, state")),
    ],
)
@pytest.mark.parametrize("gradients", [True, False])
def test_a_wrong_result_is_named_with_the_method_and_its_line(part, method, words, gradients) -> None:
    cell = part(3, 4)
    with torch.set_grad_enabled(gradients), pytest.raises(PluginResultError) as caught:
        cell(torch.zeros(2, 5, 3), cell.initial_state(2))
    problem = caught.value
    assert (problem.part, problem.method, problem.file) == (part.__name__, method, __file__)
    line = Path(__file__).read_text(encoding="utf-8").splitlines()[problem.line - 1]
    assert f"def {method}(" in line
    assert all(word in str(problem) for word in (*words, f"line {problem.line}", "plugins check"))


class EmptyGated(GatedCell):
    gates = ("new",)


class EmptyLinear(LinearCell):
    gates = ("new",)


class EmptyStepwise(StepwiseCell):
    gates = ("new",)
    products = (("new", 1),)


class EmptyCell(WideOutput):
    step = Cell.step


@pytest.mark.parametrize(
    ("part", "method"),
    [
        (EmptyGated, "update"),
        (EmptyLinear, "coefficients"),
        (EmptyStepwise, "advance"),
        (EmptyCell, "step nor update"),
    ],
)
def test_a_missing_method_is_named_with_the_line_of_the_class(part, method) -> None:
    cell = part(3, 4)
    with pytest.raises(MissingMethodError, match=method) as caught:
        cell(torch.zeros(2, 5, 3), cell.initial_state(2))
    assert (caught.value.part, caught.value.file) == (part.__name__, __file__)
    line = Path(__file__).read_text(encoding="utf-8").splitlines()[caught.value.line - 1]
    assert f"class {part.__name__}(" in line


def test_a_missing_method_of_an_attention_is_named() -> None:
    attention = Attention(query_size=3, memory_size=4)
    memory = attention.prepare(torch.zeros(2, 3, 4), torch.ones(2, 3, dtype=torch.bool))
    with pytest.raises(MissingMethodError, match="scores"):
        attention(torch.zeros(2, 1, 3), memory, ())


def test_an_authors_error_is_pickled_without_the_part() -> None:
    cell = TwiceAsWide(3, 4)
    problem = PluginResultError(cell, "update", "nothing")
    copy = pickle.loads(pickle.dumps(problem))
    assert type(copy) is PluginResultError
    assert isinstance(copy, PluginError)
    assert str(copy) == str(problem)
    assert vars(copy) == vars(problem)
