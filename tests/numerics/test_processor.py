"""The processor's maker, name and usable instructions."""

from __future__ import annotations

import platform
import subprocess

import pytest
import torch

from nmt_lstm.numerics import processor


@pytest.mark.parametrize(
    ("system", "machine", "text", "expected"),
    [
        ("Linux", "x86_64", "vendor_id : GenuineIntel", True),
        ("Linux", "x86_64", "vendor_id : AuthenticAMD", False),
        ("Linux", "aarch64", None, False),
        ("Darwin", "x86_64", None, True),
        ("Darwin", "arm64", None, False),
    ],
)
def test_the_maker_is_read_from_the_system(monkeypatch, tmp_path, system, machine, text, expected) -> None:
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert processor.is_made_by_intel.__wrapped__() is expected


def test_the_name_on_linux_is_the_models(monkeypatch, tmp_path) -> None:
    text = "processor\t: 0\nvendor_id\t: X\nmodel\t\t: 85\nmodel name\t: Abacus(R)  3000 CPU\n\nmodel name\t: Other\n"
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    assert processor.processor_name() == "Abacus(R) 3000 CPU"


def test_the_name_on_macos_is_from_sysctl(monkeypatch) -> None:
    def run(command, **options):
        assert command[1:] == ["-n", "machdep.cpu.brand_string"]
        return subprocess.CompletedProcess(command, 0, "Apple M9\n", "")

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(subprocess, "run", run)
    assert processor.processor_name() == "Apple M9"


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows"])
def test_without_a_model_the_name_is_from_python(monkeypatch, tmp_path, system) -> None:
    def run(command, **options):
        raise FileNotFoundError(command[0])

    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "missing")
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(subprocess, "run", run)
    for name, machine, expected in [("arm", "arm64", "arm"), ("", "arm64", "arm64"), ("", "", "unknown")]:
        monkeypatch.setattr(platform, "processor", lambda name=name: name)
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        assert processor.processor_name() == expected


def set_instructions(monkeypatch, *names: str) -> None:
    for name, function in processor.QUERIES.items():
        monkeypatch.setattr(torch.cpu, function, lambda name=name: name in names, raising=False)


def test_instructions_are_those_that_torch_reports(monkeypatch) -> None:
    set_instructions(monkeypatch, "AVX2", "AMX")
    assert processor.instructions() == ("AVX2", "AMX")
    for function in processor.QUERIES.values():
        monkeypatch.delattr(torch.cpu, function, raising=False)
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
def test_a_limit_of_onednn_may_forbid_bf16(monkeypatch, settings, limit, usable) -> None:
    for name in processor.LIMITS:
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    set_instructions(monkeypatch, "AVX2", "AVX512", "BF16", "AMX")
    assert processor.instruction_limit() == limit
    assert processor.bf16_instructions() == usable
