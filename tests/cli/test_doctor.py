"""``doctor``: versions, devices, number formats, and how to install what is missing."""

from __future__ import annotations

import importlib.util

import pytest
import torch

from nmt_lstm.extras import install_command
from nmt_lstm.registry import CELLS

NO_PROBLEMS = "No problems found."


def test_doctor_names_versions_devices_and_optional_packages(command):
    finished = command("doctor")
    assert finished.status == 0
    text = finished.text
    for word in (
        "torch",
        "pytorch-lightning",
        "cpu",
        "precision",
        "tensorboard",
        "mecab-python3",
        "lstm",
        "bilinear",
    ):
        assert word in text
    assert NO_PROBLEMS in text


def test_doctor_names_the_command_that_installs_a_missing_package(command, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "MeCab" else find_spec(name)
    )
    text = command("doctor").text
    assert f"not installed: {install_command('ja')}" in text
    assert NO_PROBLEMS in text


def test_doctor_reports_a_plugin_that_cannot_be_loaded(command, monkeypatch):
    monkeypatch.setattr(CELLS, "base", "nmt_lstm.errors:PluginError")
    text = command("doctor").text
    assert "Problems\n" in text
    assert "cell 'gru' (nmt-lstm" in text
    assert NO_PROBLEMS not in text


def processor_section(command):
    """The rows of the section "Processor", and the length of its longest line."""
    text = command("doctor").text
    lines = text.partition("Processor\n")[2].partition("\n\n")[0].splitlines()
    return dict(line.split(maxsplit=1) for line in lines), max(map(len, lines))


@pytest.mark.parametrize(
    ("features", "limit", "bf16", "auto"),
    [
        (("AVX2",), "", True, "float32: neither BF16 nor AMX"),
        (("AVX512", "BF16", "AMX"), "", True, "bf16: BF16 and AMX"),
        (("BF16",), "AVX512_CORE_VNNI", True, "float32: ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI"),
        (("AMX",), "", False, "float32: bf16 fails in this PyTorch despite AMX"),
    ],
)  # fmt: skip
def test_doctor_shows_fast_number_formats_and_the_choice_of_auto(
    command, monkeypatch, features, limit, bf16, auto
):
    from nmt_lstm.numerics import precision, processor, speeds

    for name, question in processor.QUERIES.items():
        monkeypatch.setattr(torch.cpu, question, lambda name=name: name in features, raising=False)
    monkeypatch.setattr(processor, "processor_name", lambda: "Abacus 3000 " * 9)
    monkeypatch.setattr(precision, "bf16_works", lambda: bf16)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    monkeypatch.delenv("DNNL_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(
        speeds, "measured_speeds", lambda: speeds.Speeds(93.4e9, 0.25 if bf16 else None, 1.75)
    )
    rows, width = processor_section(command)
    assert width <= 80
    assert rows["model"].startswith("Abacus 3000 ")
    assert rows["instructions"] == ", ".join(features)
    assert rows.get("limit") == (f"ONEDNN_MAX_CPU_ISA={limit}" if limit else None)
    assert rows["float32"] == "93 GFLOP/s (64 x 512 x 2048, one thread)"
    assert rows["bf16"] == ("0.2 times the speed of float32: slow" if bf16 else "not supported here")
    assert rows["int8"] == "1.8 times the speed of float32: fast"
    assert rows["training"] == f"auto is {auto}"


def test_doctor_measures_this_processor(command):
    rows, width = processor_section(command)
    assert width <= 80
    assert {"model", "instructions", "float32", "bf16", "int8", "training", "translation"} <= set(rows)
    assert float(rows["float32"].split()[0]) > 0
