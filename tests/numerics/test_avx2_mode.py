"""The settings of `tox -e avx2` are in effect: the libraries compute as on a processor with AVX2 alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from nmt_lstm.numerics.processor import instructions

SETTINGS = (
    "ONEDNN_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
    "MKL_ENABLE_INSTRUCTIONS",
    "FBGEMM_ENABLE_INSTRUCTIONS",
)

pytestmark = [
    pytest.mark.skipif(
        any(os.environ.get(name, "").lower() != "avx2" for name in SETTINGS),
        reason="only where the libraries are told to use AVX2 alone (`tox -e avx2`)",
    ),
    pytest.mark.skipif("AVX2" not in instructions(), reason="this processor has no AVX2"),
    pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this PyTorch has no oneDNN"),
]

PRODUCTS = """
import torch
from nmt_lstm.numerics.inference_linear import inference_linear
print(torch.backends.cpu.get_cpu_capability())
weight, inputs = torch.randn(256, 128), torch.randn(64, 128)
for precision in ("float32", "bf16", "int8"):
    inference_linear(weight, None, precision)(inputs)
"""


def test_torch_and_onednn_use_avx2_alone() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", PRODUCTS],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "ONEDNN_VERBOSE": "1"},
    )
    lines = finished.stdout.splitlines()
    assert "AVX2" in lines
    assert torch.backends.cpu.get_cpu_capability() == "AVX2"
    said = [line for line in lines if line.startswith("onednn_verbose")]
    assert any("avx2" in line for line in said if ",exec," in line)
    assert not [line for line in said if "avx512" in line.lower() or "avx10" in line.lower()]
