"""Whose processor this is, its name, and which instructions may be used."""

from __future__ import annotations

import platform
import subprocess

import pytest
import torch

from nmt_lstm.numerics import processor


@pytest.mark.parametrize(
    ("system", "machine", "text", "found"),
    [
        ("Linux", "x86_64", "vendor_id : GenuineIntel", True),
        ("Linux", "x86_64", "vendor_id : AuthenticAMD", False),
        ("Linux", "aarch64", None, False),
        ("Darwin", "x86_64", None, True),
        ("Darwin", "arm64", None, False),
    ],
)
def test_it_is_intels_where_the_system_says_so(monkeypatch, tmp_path, system, machine, text, found) -> None:
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert processor.is_made_by_intel.__wrapped__() is found


def test_the_name_on_linux_is_that_of_the_model(monkeypatch, tmp_path) -> None:
    text = "processor\t: 0\nvendor_id\t: X\nmodel\t\t: 85\nmodel name\t: Abacus(R)  3000 CPU\n\nmodel name\t: Other\n"
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    assert processor.processor_name() == "Abacus(R) 3000 CPU"


def test_the_name_on_macos_is_that_of_sysctl(monkeypatch) -> None:
    def run(command, **options):
        assert command[1:] == ["-n", "machdep.cpu.brand_string"]
        return subprocess.CompletedProcess(command, 0, "Apple M9\n", "")

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(subprocess, "run", run)
    assert processor.processor_name() == "Apple M9"


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows"])
def test_without_a_model_the_name_is_what_python_knows(monkeypatch, tmp_path, system) -> None:
    def run(command, **options):
        raise FileNotFoundError(command[0])

    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "missing")
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(subprocess, "run", run)
    for name, machine, found in [("arm", "arm64", "arm"), ("", "arm64", "arm64"), ("", "", "unknown")]:
        monkeypatch.setattr(platform, "processor", lambda name=name: name)
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        assert processor.processor_name() == found


def with_instructions(monkeypatch, *names: str) -> None:
    for name, question in processor.QUESTIONS.items():
        monkeypatch.setattr(torch.cpu, question, lambda name=name: name in names, raising=False)


def test_instructions_are_those_that_torch_finds(monkeypatch) -> None:
    with_instructions(monkeypatch, "AVX2", "AMX")
    assert processor.instructions() == ("AVX2", "AMX")
    for question in processor.QUESTIONS.values():
        monkeypatch.delattr(torch.cpu, question, raising=False)
    assert processor.instructions() == ()


@pytest.mark.parametrize(
    ("settings", "limit", "usable"),
    [
        ({}, "", ("BF16", "AMX")),
        ({"ONEDNN_MAX_CPU_ISA": "AVX2"}, "ONEDNN_MAX_CPU_ISA=AVX2", ()),
        ({"DNNL_MAX_CPU_ISA": "avx512_core_vnni"}, "DNNL_MAX_CPU_ISA=avx512_core_vnni", ()),
        (
            {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_AMX", "DNNL_MAX_CPU_ISA": "AVX2"},
            "ONEDNN_MAX_CPU_ISA=AVX512_CORE_AMX",
            ("BF16", "AMX"),
        ),
    ],
)
def test_a_limit_of_onednn_takes_bf16_away(monkeypatch, settings, limit, usable) -> None:
    for name in processor.LIMITS:
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with_instructions(monkeypatch, "AVX2", "AVX512", "BF16", "AMX")
    assert processor.instruction_limit() == limit
    assert processor.bf16_instructions() == usable
