"""Decorators that turn each check into a pytest test; only they import pytest."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from nmt_lstm.attention.attention import Attention
from nmt_lstm.cells.cell import Cell
from nmt_lstm.encoders.encoder import Encoder
from nmt_lstm.testing.conformance import ATTENTION_CHECKS, CELL_CHECKS, ENCODER_CHECKS, Case, make_cases
from nmt_lstm.testing.subject import AttentionSubject, CellSubject, EncoderSubject

__all__ = ["attention_conformance", "cell_conformance", "encoder_conformance"]

Test: TypeAlias = Callable[..., None]


def cell_conformance(
    part: type[Cell],
    *,
    options: Mapping[str, Any] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    input_size: int = CellSubject.input_size,
    hidden_size: int = CellSubject.hidden_size,
) -> Callable[[Test], Test]:
    """Return a decorator that runs a test once for each of `CELL_CHECKS`.

    The test takes an argument ``check``, and calls it::

        @cell_conformance(SRU)
        def test_conformance(check):
            check()

    The arguments and errors are those of `nmt_lstm.testing.check_cell`.
    """
    subject = CellSubject(part, options or {}, input_size, hidden_size)
    return _parametrized(make_cases(CELL_CHECKS, subject, expected_failures))


def attention_conformance(
    part: type[Attention],
    *,
    options: Mapping[str, Any] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    query_size: int = AttentionSubject.query_size,
    memory_size: int = AttentionSubject.memory_size,
) -> Callable[[Test], Test]:
    """Return a decorator that runs a test once for each of `ATTENTION_CHECKS`, as `cell_conformance` does.

    The arguments and errors are those of `nmt_lstm.testing.check_attention`.
    """
    subject = AttentionSubject(part, options or {}, query_size, memory_size)
    return _parametrized(make_cases(ATTENTION_CHECKS, subject, expected_failures))


def encoder_conformance(
    part: type[Encoder],
    *,
    options: Mapping[str, Any] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    input_size: int = EncoderSubject.input_size,
) -> Callable[[Test], Test]:
    """Return a decorator that runs a test once for each of `ENCODER_CHECKS`, as `cell_conformance` does.

    The arguments and errors are those of `nmt_lstm.testing.check_encoder`.
    """
    subject = EncoderSubject(part, options or {}, input_size)
    return _parametrized(make_cases(ENCODER_CHECKS, subject, expected_failures))


def _parametrized(cases: Sequence[Case[Any]]) -> Callable[[Test], Test]:
    pytest = importlib.import_module("pytest")
    decorator: Callable[[Test], Test] = pytest.mark.parametrize(
        "check", [_Check(case) for case in cases], ids=[case.name for case in cases]
    )
    return decorator


class _Check:
    """A case as a function for pytest, which raises an error, or pytest's own exceptions for other outcomes."""

    def __init__(self, case: Case[Any]) -> None:
        self.case = case

    def __call__(self) -> None:
        result = self.case.run()
        pytest = importlib.import_module("pytest")
        if result.failure is not None and result.outcome == "failed":
            raise result.failure
        if result.outcome == "expected failure":
            pytest.xfail(result.reason)
        if result.outcome in ("does not apply", "not checked", "not run"):
            pytest.skip(result.numbers)
