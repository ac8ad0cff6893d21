"""The checks in the order in which they run, and their results: for a table or for pytest."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from nmt_lstm.attention.attention import Attention
from nmt_lstm.cells.cell import Cell
from nmt_lstm.encoders.encoder import Encoder
from nmt_lstm.errors import nearest
from nmt_lstm.registry.source_line import own_line
from nmt_lstm.testing import (
    attention_queries,
    attention_values,
    cell_gradients,
    cell_sequence,
    cell_values,
    encoder_sentences,
    encoder_values,
    module_values,
    whole_model,
)
from nmt_lstm.testing.failure import ConformanceFailure, DoesNotApply, NotChecked
from nmt_lstm.testing.subject import AttentionSubject, CellSubject, EncoderSubject

__all__ = [
    "ATTENTION_CHECKS",
    "CELL_CHECKS",
    "ENCODER_CHECKS",
    "Case",
    "Result",
    "check_attention",
    "check_cell",
    "check_encoder",
    "make_cases",
]

Subject = TypeVar("Subject", CellSubject, AttentionSubject, EncoderSubject)

CELL_CHECKS: tuple[Callable[[CellSubject], str], ...] = (
    module_values.options_fit_a_run_file,
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
    cell_values.recorded_gates_lie_in_their_range,
    cell_values.step_can_be_traced,
    module_values.nothing_is_kept_between_calls,
    module_values.parameters_are_drawn_again,
    module_values.copies_compute_the_same,
    whole_model.wirings_train_what_they_search,
    whole_model.model_folder_keeps_it,
)
"""Checks of every cell; each takes a `CellSubject`, and returns its measurements."""

ATTENTION_CHECKS: tuple[Callable[[AttentionSubject], str], ...] = (
    module_values.options_fit_a_run_file,
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
    module_values.nothing_is_kept_between_calls,
    module_values.copies_compute_the_same,
    whole_model.wirings_train_what_they_search,
    whole_model.model_folder_keeps_it,
)
"""Checks of every attention; each takes an `AttentionSubject`, and returns its measurements."""

ENCODER_CHECKS: tuple[Callable[[EncoderSubject], str], ...] = (
    module_values.options_fit_a_run_file,
    encoder_values.first_call_works,
    encoder_sentences.sizes_and_dtypes,
    encoder_sentences.padding_changes_nothing,
    encoder_sentences.batch_changes_no_bit,
    encoder_sentences.every_piece_is_read,
    encoder_sentences.long_sentences_are_read,
    encoder_values.gradients_reach_every_parameter,
    encoder_values.gradients_are_right,
    encoder_values.bf16_is_near_float32,
    encoder_values.prepared_products_compute_the_same,
    encoder_values.encoder_can_be_traced,
    module_values.nothing_is_kept_between_calls,
    module_values.copies_compute_the_same,
    whole_model.wirings_train_what_they_search,
    whole_model.model_folder_keeps_it,
)
"""Checks of every encoder; each takes an `EncoderSubject`, and returns its measurements."""

BASIC_CHECKS = (
    cell_values.first_call_works,
    cell_sequence.sizes_and_dtypes,
    attention_values.first_call_works,
    attention_queries.shapes_are_declared,
    encoder_values.first_call_works,
    encoder_sentences.sizes_and_dtypes,
)
"""If one of these fails, the checks after it do not run: nearly all of them would fail too."""

Outcome: TypeAlias = Literal[
    "passed", "failed", "expected failure", "does not apply", "not checked", "not run"
]


@dataclass(frozen=True)
class Result:
    """The result of a check."""

    name: str
    """Of the check; the key in `expected_failures`."""
    meaning: str
    """One sentence about what is checked."""
    outcome: Outcome
    numbers: str
    """The measurements, and what is allowed."""
    hint: str = ""
    """The usual cause of a failure."""
    reason: str = ""
    """Why a failure is expected."""
    failure: ConformanceFailure | None = None
    """The exception, if the check failed."""

    @property
    def holds(self) -> bool:
        """Whether the outcome is as expected."""
        return self.outcome != "failed"


@dataclass(frozen=True)
class Case(Generic[Subject]):
    """A check of a subject."""

    check: Callable[[Subject], str]
    subject: Subject
    reason: str = ""
    """Why the check is expected to fail; empty if it must pass."""
    basics: tuple[Case[Subject], ...] = ()
    """Earlier cases that must not fail for this one to run."""

    @property
    def name(self) -> str:
        """The check's name."""
        return self.check.__name__

    def run(self) -> Result:
        """Run the check once and return its result; any exception in the class under test is a failure."""
        return self._cached_result

    @cached_property
    def _cached_result(self) -> Result:
        for basic in self.basics:
            if basic.run().outcome == "failed":
                return self._result("not run", f"not run because {basic.name} failed")
        try:
            numbers = self.check(self.subject)
        except NotChecked as reason:
            # Also if a failure is expected: this machine cannot confirm it.
            return self._result("not checked", str(reason))
        except DoesNotApply as reason:
            if not self.reason:
                return self._result("does not apply", str(reason))
            return self._unexpected(f"the check does not apply: {reason}")
        except ConformanceFailure as problem:
            failure = problem
            location = self._location(problem)
            if location:
                failure = ConformanceFailure(f"{problem.numbers}, {location}", problem.hint)
                failure.__cause__ = problem.__cause__
        except Exception as problem:  # noqa: BLE001 - the class may raise anything, and other checks still run
            failure = self._raised(problem)
        else:
            if not self.reason:
                return self._result("passed", numbers)
            return self._unexpected(numbers)
        outcome: Outcome = "expected failure" if self.reason else "failed"
        return self._result(outcome, failure.numbers, failure)

    def _raised(self, problem: Exception) -> ConformanceFailure:
        location = self._location(problem)
        hint = "" if location else "The class under test raised this."
        failure = ConformanceFailure(
            f"{type(problem).__name__}: {problem}{f', {location}' if location else ''}", hint
        )
        failure.__cause__ = problem
        return failure

    def _location(self, problem: Exception) -> str:
        """Return the line in the author's file that raised the exception; empty if none did."""
        try:
            file = inspect.getsourcefile(self.subject.part)
        except TypeError:  # a class in a notebook
            return ""
        line = own_line(problem, Path(file)) if file else None
        return f"in {line.file.name}, line {line.number}: {line.text}" if line else ""

    def _unexpected(self, numbers: str) -> Result:
        failure = ConformanceFailure(
            f"was expected to fail, but did not ({numbers})",
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


def make_cases(
    checks: Sequence[Callable[[Subject], str]], subject: Subject, expected_failures: Mapping[str, str] | None
) -> list[Case[Subject]]:
    """Return a case for each check.

    Raises:
        ValueError: an expected failure has an unknown name, or no reason.
    """
    expected = dict(expected_failures or {})
    names = [check.__name__ for check in checks]
    for name, reason in expected.items():
        if name not in names:
            raise ValueError(
                f"'{name}' in expected_failures is not a check.{nearest(name, names)} Checks: {', '.join(names)}."
            )
        if not reason.strip():
            raise ValueError(
                f"expected_failures has no reason for '{name}'; explain in a sentence why the failure is acceptable."
            )
    cases: list[Case[Subject]] = []
    for check in checks:
        basics = tuple(case for case in cases if case.check in BASIC_CHECKS)
        cases.append(Case(check, subject, expected.get(check.__name__, ""), basics))
    return cases


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
        expected_failures: names of checks that must fail, and why that is acceptable.
        input_size: width of the inputs.
        hidden_size: width of the hidden state.

    Returns:
        A result for each of `CELL_CHECKS`, in their order.

    Raises:
        ValueError: an expected failure has an unknown name, or no reason.
    """
    subject = CellSubject(part, options or {}, input_size, hidden_size)
    return [case.run() for case in make_cases(CELL_CHECKS, subject, expected_failures)]


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
        expected_failures: names of checks that must fail, and why that is acceptable.
        query_size: width of the queries.
        memory_size: width of the source states.

    Returns:
        A result for each of `ATTENTION_CHECKS`, in their order.

    Raises:
        ValueError: an expected failure has an unknown name, or no reason.
    """
    subject = AttentionSubject(part, options or {}, query_size, memory_size)
    return [case.run() for case in make_cases(ATTENTION_CHECKS, subject, expected_failures)]


def check_encoder(
    part: type[Encoder],
    *,
    options: Mapping[str, Any] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    input_size: int = EncoderSubject.input_size,
) -> list[Result]:
    """Run every check on an encoder.

    Args:
        part: the class.
        options: of its constructor.
        expected_failures: names of checks that must fail, and why that is acceptable.
        input_size: width of the embeddings.

    Returns:
        A result for each of `ENCODER_CHECKS`, in their order.

    Raises:
        ValueError: an expected failure has an unknown name, or no reason.
    """
    subject = EncoderSubject(part, options or {}, input_size)
    return [case.run() for case in make_cases(ENCODER_CHECKS, subject, expected_failures)]
