"""The report mentions libraries that are limited to fewer instructions than the processor has."""

from __future__ import annotations

import importlib

import pytest


@pytest.fixture
def report(repository, monkeypatch):
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    module = importlib.import_module("report")
    for name in module.AVX2_MODE:
        monkeypatch.delenv(name, raising=False)
    return module


def test_nothing_is_limited_by_default(report) -> None:
    assert not report.is_avx2()
    assert report.instructions() == "all that the processor has"


def test_all_variables_together_are_avx2_mode(report, monkeypatch) -> None:
    for name, value in report.AVX2_MODE.items():
        monkeypatch.setenv(name, value.swapcase())
    assert report.is_avx2()
    assert report.instructions().startswith("AVX2 mode (ONEDNN_MAX_CPU_ISA=avx2, ")


@pytest.mark.parametrize("value", ["AVX2", "AVX512_CORE"])
def test_some_variables_are_not_avx2_mode(report, monkeypatch, value) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", value)
    assert not report.is_avx2()
    assert report.instructions() == f"some limited (ONEDNN_MAX_CPU_ISA={value})"


def test_the_report_has_the_limits(report, monkeypatch) -> None:
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    assert report.machine()["instructions"] == report.instructions()
