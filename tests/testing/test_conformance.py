"""Running the checks: results for a table, tests for pytest, and expected failures; also without pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nmt_lstm.attention.dot import DotAttention
from nmt_lstm.cells.cell import Cell
from nmt_lstm.numerics.sequence_linear import Linear
from nmt_lstm.testing import (
    ATTENTION_CHECKS,
    CELL_CHECKS,
    ConformanceFailure,
    attention_conformance,
    cell_conformance,
    check_attention,
    check_cell,
    gradients,
)


class LeakyUnit(Cell):
    """A cell with an option, and a second option that breaks it."""

    def __init__(
        self, input_size: int, hidden_size: int, *, leak: float = 0.5, looks_ahead: bool = False
    ) -> None:
        super().__init__(input_size, hidden_size)
        if not 0 < leak < 1:
            raise ValueError(f"leak lies between 0 and 1; got {leak}.")
        self.leak = leak
        self.looks_ahead = looks_ahead
        self.pre = Linear(input_size + hidden_size, hidden_size)

    def step(self, inputs, state):
        new = torch.tanh(self.pre(torch.cat([inputs, state[0]], -1)))
        hidden = self.leak * state[0] + (1 - self.leak) * new
        return hidden, (hidden,)

    def forward(self, inputs, state):
        if self.looks_ahead and inputs.shape[1] > 1:
            inputs = inputs + inputs.flip(1)
        return super().forward(inputs, state)


class NotFinite(LeakyUnit):
    """A cell whose results are NaN."""

    def step(self, inputs, state):
        output, (hidden,) = super().step(inputs, state)
        return output.log(), (hidden,)


AHEAD = {"looks_ahead": True}
REASON = "it is only used where the whole sentence is known"
FAILURES_AHEAD = dict.fromkeys(
    [
        "steps_equal_sequence",
        "later_inputs_change_nothing",
        "cut_sequence_continues",
        "sequence_gradients_equal_step_gradients",
        "wirings_train_what_they_search",
    ],
    REASON,
)


def by_name(results):
    return {result.name: result for result in results}


def test_each_check_has_a_result_in_order() -> None:
    results = check_cell(LeakyUnit, options={"leak": 0.25}, hidden_size=9)
    assert [result.name for result in results] == [check.__name__ for check in CELL_CHECKS]
    assert all(result.holds and result.numbers and result.meaning.endswith(".") for result in results)
    assert by_name(results)["sizes_and_dtypes"].numbers == "output 9; state: hidden 9"
    assert by_name(results)["fused_kernel_equals_unroll"].outcome == "does not apply"
    assert [result.name for result in check_attention(DotAttention, query_size=6, memory_size=10)] == [
        check.__name__ for check in ATTENTION_CHECKS
    ]


def test_failures_have_measurements_and_a_hint() -> None:
    results = by_name(check_cell(LeakyUnit, options=AHEAD))
    failed = {name for name, result in results.items() if result.outcome == "failed"}
    assert failed == set(FAILURES_AHEAD)
    ahead = results["later_inputs_change_nothing"]
    assert not ahead.holds
    assert "outputs before position 1" in ahead.numbers
    assert "looks ahead" in ahead.hint
    assert isinstance(ahead.failure, ConformanceFailure)


def test_expected_failures_are_not_failures() -> None:
    results = by_name(check_cell(LeakyUnit, options=AHEAD, expected_failures=FAILURES_AHEAD))
    assert {name for name, result in results.items() if result.outcome == "expected failure"} == set(
        FAILURES_AHEAD
    )
    assert all(result.holds for result in results.values())
    assert results["later_inputs_change_nothing"].reason == REASON


def test_an_expected_failure_must_fail() -> None:
    results = by_name(check_cell(LeakyUnit, expected_failures={"beams_reorder": REASON}))
    assert results["beams_reorder"].outcome == "failed"
    assert "expected to fail" in results["beams_reorder"].numbers
    assert REASON in results["beams_reorder"].hint


def test_an_expected_failure_must_apply() -> None:
    result = by_name(check_cell(LeakyUnit, expected_failures={"fused_kernel_equals_unroll": REASON}))
    assert result["fused_kernel_equals_unroll"].outcome == "failed"
    assert "does not apply" in result["fused_kernel_equals_unroll"].numbers


def test_an_exception_of_the_class_is_a_failure_with_its_line() -> None:
    results = check_cell(LeakyUnit, options={"leak": 2.0})
    first = by_name(results)["first_call_works"]
    assert first.outcome == "failed"
    assert first.numbers.startswith("ValueError: leak lies between 0 and 1; got 2.0")
    assert "test_conformance.py, line" in first.numbers
    assert "raise ValueError(" in first.numbers


def test_checks_after_a_basic_failure_are_not_run() -> None:
    results = check_cell(NotFinite)
    assert [result.name for result in results if result.outcome == "failed"] == ["sizes_and_dtypes"]
    after = results[[result.name for result in results].index("sizes_and_dtypes") + 1 :]
    assert after
    assert {result.outcome for result in after} == {"not run"}
    assert all("sizes_and_dtypes" in result.numbers and not result.hint for result in after)
    tests = as_tests(cell_conformance(NotFinite))
    with pytest.raises(ConformanceFailure, match="NaN"):
        tests["sizes_and_dtypes"]()
    with pytest.raises(pytest.skip.Exception, match="sizes_and_dtypes"):
        tests["beams_reorder"]()
    # After an expected basic failure, the others run.
    expected = {"sizes_and_dtypes": REASON}
    results = by_name(check_cell(NotFinite, expected_failures=expected))
    assert results["sizes_and_dtypes"].outcome == "expected failure"
    assert results["steps_equal_sequence"].outcome == "failed"


@pytest.mark.parametrize("run", [check_cell, cell_conformance])
def test_expected_failures_name_checks_and_give_reasons(run) -> None:
    with pytest.raises(ValueError, match="'beam_reorder'.*'beams_reorder'"):
        run(LeakyUnit, expected_failures={"beam_reorder": REASON})
    with pytest.raises(ValueError, match="no reason for 'beams_reorder'"):
        run(LeakyUnit, expected_failures={"beams_reorder": " "})


def as_tests(decorator):
    """Return the functions that pytest would run for a test with the decorator, by name."""

    @decorator
    def test(check):
        check()

    (mark,) = test.pytestmark
    assert mark.args[0] == "check"
    return dict(zip(mark.kwargs["ids"], mark.args[1], strict=True))


def test_the_decorator_makes_a_test_of_each_check() -> None:
    expected = {"later_inputs_change_nothing": REASON, "beams_reorder": REASON}
    tests = as_tests(cell_conformance(LeakyUnit, options=AHEAD, expected_failures=expected))
    assert list(tests) == [check.__name__ for check in CELL_CHECKS]
    tests["sizes_and_dtypes"]()
    with pytest.raises(ConformanceFailure, match="outputs, split at 1"):
        tests["cut_sequence_continues"]()
    with pytest.raises(pytest.xfail.Exception, match=REASON):
        tests["later_inputs_change_nothing"]()
    with pytest.raises(ConformanceFailure, match="expected to fail"):
        tests["beams_reorder"]()
    with pytest.raises(pytest.skip.Exception, match="not a gated cell"):
        tests["fused_kernel_equals_unroll"]()


def test_the_decorator_for_attentions_makes_a_test_of_each_check() -> None:
    tests = as_tests(attention_conformance(DotAttention, query_size=4, memory_size=4))
    assert list(tests) == [check.__name__ for check in ATTENTION_CHECKS]
    tests["shapes_are_declared"]()


def test_the_kit_runs_without_pytest() -> None:
    script = (
        "import sys; sys.modules['pytest'] = None\n"
        "from nmt_lstm.cells.rnn import RNN\n"
        "from nmt_lstm.testing import check_cell\n"
        "print(all(result.holds for result in check_cell(RNN)))"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert finished.stdout == "True\n"


@pytest.mark.parametrize("checks", [CELL_CHECKS, ATTENTION_CHECKS], ids=["cells", "attentions"])
def test_the_guide_lists_every_check(checks, repository: Path) -> None:
    guide = (repository / "docs" / "plugins.md").read_text(encoding="utf-8")
    for check in checks:
        assert f"| `{check.__name__}` | {check.__doc__} |\n" in guide


@pytest.mark.parametrize("expected", [{}, {"bf16_is_near_float32": REASON}])
def test_bf16_is_not_checked_on_a_processor_without_it(monkeypatch, expected) -> None:
    monkeypatch.setattr(gradients, "bf16_works", lambda: False)
    reason = "not checked: this processor does not compute in bf16"
    for results in (
        check_cell(LeakyUnit, expected_failures=expected),
        check_attention(DotAttention, query_size=4, memory_size=4, expected_failures=expected),
    ):
        result = by_name(results)["bf16_is_near_float32"]
        assert (result.outcome, result.numbers, result.holds) == ("not checked", reason, True)
    test = as_tests(cell_conformance(LeakyUnit, expected_failures=expected))["bf16_is_near_float32"]
    with pytest.raises(pytest.skip.Exception, match=reason):
        test()
