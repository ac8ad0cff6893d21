"""The checks in reading order, and the running of them: for a table or for pytest."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from nmt_lstm.attention.attention import Attention
from nmt_lstm.cells.cell import Cell
from nmt_lstm.errors import nearest
from nmt_lstm.registry.source_line import own_line
from nmt_lstm.testing import (
    attention_queries,
    attention_values,
    cell_gates,
    cell_gradients,
    cell_sequence,
    cell_values,
)
from nmt_lstm.testing.failure import ConformanceFailure, DoesNotApply, NotChecked
from nmt_lstm.testing.subject import AttentionSubject, CellSubject

__all__ = ["ATTENTION_CHECKS", "CELL_CHECKS", "Case", "Result", "cases", "check_attention", "check_cell"]

Subject = TypeVar("Subject", CellSubject, AttentionSubject)

CELL_CHECKS: tuple[Callable[[CellSubject], str], ...] = (
    cell_values.options_fit_a_run_file,
    cell_values.first_call_works,
    cell_sequence.sizes_and_dtypes,
    cell_sequence.empty_sequence_is_refused,
    cell_sequence.steps_equal_sequence,
    cell_sequence.later_inputs_change_nothing,
    cell_sequence.cut_sequence_continues,
    cell_sequence.row_alone_equals_row_in_batch,
    cell_sequence.beams_reorder,
    cell_gradients.gradients_reach_every_parameter,
    cell_gradients.gradients_are_right,
    cell_gradients.sequence_gradients_equal_step_gradients,
    cell_gradients.fused_kernel_equals_unroll,
    cell_gradients.bf16_is_near_float32,
    cell_gates.recorded_gates_lie_in_their_range,
    cell_values.step_can_be_traced,
    cell_values.nothing_is_kept_between_calls,
    cell_values.parameters_are_drawn_again,
    cell_values.copies_compute_the_same,
    cell_values.wirings_train_what_they_search,
    cell_values.model_folder_keeps_it,
)
"""What every cell has to hold; each takes a `CellSubject`, and returns the numbers it saw."""

ATTENTION_CHECKS: tuple[Callable[[AttentionSubject], str], ...] = (
    attention_values.options_fit_a_run_file,
    attention_values.first_call_works,
    attention_queries.shapes_are_declared,
    attention_queries.weights_sum_to_one,
    attention_queries.padding_changes_nothing,
    attention_queries.queries_at_once_equal_one_at_a_time,
    attention_queries.one_token_is_enough,
    attention_queries.sentence_alone_equals_sentence_in_batch,
    attention_queries.state_is_carried_where_declared,
    attention_queries.hypotheses_reorder,
    attention_values.gradients_reach_every_parameter,
    attention_values.gradients_are_right,
    attention_values.bf16_is_near_float32,
    attention_values.step_can_be_traced,
    attention_values.nothing_is_kept_between_calls,
    attention_values.copies_compute_the_same,
    attention_values.wirings_train_what_they_search,
    attention_values.model_folder_keeps_it,
)
"""What every attention has to hold; each takes an `AttentionSubject`, and returns the numbers it saw."""


BASIC_CHECKS = (
    cell_values.first_call_works,
    cell_sequence.sizes_and_dtypes,
    attention_values.first_call_works,
    attention_queries.shapes_are_declared,
)
"""Where one of these fails, so would nearly all that come after it: those are not run."""

Outcome: TypeAlias = Literal[
    "passed", "failed", "expected failure", "does not apply", "not checked", "not run"
]


@dataclass(frozen=True)
class Result:
    """What one check found."""

    name: str
    """Of the check: the key of `expected_failures`."""
    meaning: str
    """What is checked, in one sentence."""
    outcome: Outcome
    numbers: str
    """What was seen and what is allowed."""
    hint: str = ""
    """Of a failure: what usually causes it."""
    reason: str = ""
    """Of an expected failure: why it is no mistake."""
    failure: ConformanceFailure | None = None
    """What was raised, if the check failed."""

    @property
    def holds(self) -> bool:
        """Whether all is as expected."""
        return self.outcome != "failed"


@dataclass(frozen=True)
class Case(Generic[Subject]):
    """One check of one part."""

    check: Callable[[Subject], str]
    subject: Subject
    reason: str = ""
    """Why the check is expected to fail; empty if it is to pass."""
    basics: tuple[Case[Subject], ...] = ()
    """Cases that come before, without which this one tells nothing."""

    @property
    def name(self) -> str:
        """The check's name."""
        return self.check.__name__

    def run(self) -> Result:
        """Run the check, once; whatever the part raises is a failure of it."""
        return self._found

    @cached_property
    def _found(self) -> Result:
        for basic in self.basics:
            if basic.run().outcome == "failed":
                return self._result("not run", f"a consequence of {basic.name}, which failed")
        try:
            numbers = self.check(self.subject)
        except NotChecked as answer:
            # Whether an expected failure is one, this machine cannot tell.
            return self._result("not checked", str(answer))
        except DoesNotApply as answer:
            if not self.reason:
                return self._result("does not apply", str(answer))
            return self._unexpected(f"the check does not apply: {answer}")
        except ConformanceFailure as found:
            failure = found
            place = self._own_place(found)
            if place:
                failure = ConformanceFailure(f"{found.numbers}, {place}", found.hint)
                failure.__cause__ = found.__cause__
        except Exception as problem:  # noqa: BLE001 - a part may raise anything, and the table goes on
            failure = self._raised(problem)
        else:
            if not self.reason:
                return self._result("passed", numbers)
            return self._unexpected(numbers)
        outcome: Outcome = "expected failure" if self.reason else "failed"
        return self._result(outcome, failure.numbers, failure)

    def _raised(self, problem: Exception) -> ConformanceFailure:
        place = self._own_place(problem)
        hint = "" if place else "The part raised this itself."
        failure = ConformanceFailure(
            f"{type(problem).__name__}: {problem}{f', {place}' if place else ''}", hint
        )
        failure.__cause__ = problem
        return failure

    def _own_place(self, problem: Exception) -> str:
        """Return where in the author's own file something was raised; empty if it was not there."""
        try:
            file = inspect.getsourcefile(self.subject.part)
        except TypeError:  # a class of a notebook
            return ""
        line = own_line(problem, Path(file)) if file else None
        return f"in {line.file.name}, line {line.number}: {line.text}" if line else ""

    def _unexpected(self, numbers: str) -> Result:
        failure = ConformanceFailure(
            f"expected to fail, but did not ({numbers})",
            f"Remove '{self.name}' from expected_failures; its reason was: {self.reason}",
        )
        return self._result("failed", failure.numbers, failure)

    def _result(
        self,
        outcome: Outcome,
        numbers: str,
        failure: ConformanceFailure | None = None,
    ) -> Result:
        meaning = inspect.getdoc(self.check) or ""
        hint = failure.hint if failure else ""
        return Result(self.name, meaning, outcome, numbers, hint, self.reason, failure)


def cases(
    checks: Sequence[Callable[[Subject], str]], subject: Subject, expected_failures: Mapping[str, str] | None
) -> list[Case[Subject]]:
    """Return a case for each check.

    Raises:
        ValueError: an expected failure names no check, or gives no reason.
    """
    expected = dict(expected_failures or {})
    names = [check.__name__ for check in checks]
    for name, reason in expected.items():
        if name not in names:
            raise ValueError(
                f"expected_failures names '{name}', which is no check.{nearest(name, names)} Checks: {', '.join(names)}."
            )
        if not reason.strip():
            raise ValueError(
                f"expected_failures gives no reason for '{name}'; say in a sentence why it is no mistake."
            )
    found: list[Case[Subject]] = []
    for check in checks:
        basics = tuple(case for case in found if case.check in BASIC_CHECKS)
        found.append(Case(check, subject, expected.get(check.__name__, ""), basics))
    return found


def check_cell(
    part: type[Cell],
    *,
    options: Mapping[str, Any] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    input_size: int = CellSubject.input_size,
    hidden_size: int = CellSubject.hidden_size,
) -> list[Result]:
    """Run every check on a cell.

    Args:
        part: the class.
        options: of its constructor.
        expected_failures: names of checks that must fail, and why that is no mistake.
        input_size: width of the inputs it is built with.
        hidden_size: width of the hidden state it is built with.

    Returns:
        A result for each of `CELL_CHECKS`, in their order.

    Raises:
        ValueError: an expected failure names no check, or gives no reason.
    """
    subject = CellSubject(part, options or {}, input_size, hidden_size)
    return [case.run() for case in cases(CELL_CHECKS, subject, expected_failures)]


def check_attention(
    part: type[Attention],
    *,
    options: Mapping[str, Any] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    query_size: int = AttentionSubject.query_size,
    memory_size: int = AttentionSubject.memory_size,
) -> list[Result]:
    """Run every check on an attention.

    Args:
        part: the class.
        options: of its constructor.
        expected_failures: names of checks that must fail, and why that is no mistake.
        query_size: width of the queries it is built with.
        memory_size: width of the source states it is built with.

    Returns:
        A result for each of `ATTENTION_CHECKS`, in their order.

    Raises:
        ValueError: an expected failure names no check, or gives no reason.
    """
    subject = AttentionSubject(part, options or {}, query_size, memory_size)
    return [case.run() for case in cases(ATTENTION_CHECKS, subject, expected_failures)]
