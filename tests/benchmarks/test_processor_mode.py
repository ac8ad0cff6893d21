"""The report says when libraries were told to use fewer instructions than the processor has."""

from __future__ import annotations

import importlib

import pytest


@pytest.fixture
def mode(repository, monkeypatch):
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    found = importlib.import_module("processor_mode")
    for name in found.AVX2_MODE:
        monkeypatch.delenv(name, raising=False)
    return found


def test_nothing_is_limited_unless_a_variable_says_so(mode) -> None:
    assert not mode.is_avx2()
    assert mode.instructions() == "all that the processor has"


def test_all_variables_make_the_mode(mode, monkeypatch) -> None:
    for name, value in mode.AVX2_MODE.items():
        monkeypatch.setenv(name, value.swapcase())
    assert mode.is_avx2()
    assert mode.instructions().startswith("AVX2 mode (ONEDNN_MAX_CPU_ISA=avx2, ")


@pytest.mark.parametrize("value", ["AVX2", "AVX512_CORE"])
def test_some_of_them_do_not_make_it(mode, monkeypatch, value) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", value)
    assert not mode.is_avx2()
    assert mode.instructions() == f"some limited (ONEDNN_MAX_CPU_ISA={value})"


def test_report_holds_it(mode, monkeypatch) -> None:
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    assert importlib.import_module("report").machine()["instructions"] == mode.instructions()
