"""Which precision auto resolves to on which machine, which are rejected, and the autocast region."""

from __future__ import annotations

import logging

import pytest
import torch

from nmt_lstm.errors import ResourceError
from nmt_lstm.numerics import precision
from nmt_lstm.numerics.precision import autocast, has_fast_bf16, resolve_precision, slow_bf16


@pytest.fixture(autouse=True)
def no_warning_yet():
    """Each test may see the warning that a process logs once."""
    precision._warn_emulated.cache_clear()
    yield
    precision._warn_emulated.cache_clear()


def use_processor(monkeypatch, *, avx512: bool, amx: bool, limit: str = "", works: bool = True) -> None:
    """Pretend to run on a processor, whatever the tests run on."""
    monkeypatch.setattr(precision, "bf16_works", lambda: works)
    monkeypatch.setattr(precision, "processor_name", lambda: "Abacus 3000")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    monkeypatch.delenv("DNNL_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)


def use_gpu(monkeypatch, capability: tuple[int, int]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)


@pytest.mark.parametrize(("avx512", "amx"), [(True, False), (False, True), (True, True)])
def test_auto_is_bf16_on_a_processor_with_bf16(monkeypatch, avx512, amx) -> None:
    use_processor(monkeypatch, avx512=avx512, amx=amx)
    assert has_fast_bf16("cpu")
    assert resolve_precision("auto", "cpu") == "bf16"


def test_auto_is_float32_on_a_processor_without_bf16(monkeypatch) -> None:
    use_processor(monkeypatch, avx512=False, amx=False)
    assert not has_fast_bf16("cpu")
    assert resolve_precision("auto", torch.device("cpu")) == "float32"


def test_auto_is_float32_if_torch_has_no_query_for_bf16(monkeypatch) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert resolve_precision("auto", "cpu") == "float32"


@pytest.mark.parametrize("limit", ["AVX2", "avx512_core"])
def test_auto_is_float32_if_a_setting_forbids_bf16(monkeypatch, limit) -> None:
    use_processor(monkeypatch, avx512=True, amx=True, limit=limit)
    assert not has_fast_bf16("cpu")
    assert resolve_precision("auto", "cpu") == "float32"


def test_auto_is_float32_if_bf16_fails(monkeypatch) -> None:
    use_processor(monkeypatch, avx512=True, amx=True, works=False)
    assert resolve_precision("auto", "cpu") == "float32"


@pytest.mark.parametrize(
    ("capability", "expected"), [((7, 5), "float32"), ((8, 0), "bf16"), ((9, 0), "bf16")]
)
def test_auto_on_a_gpu_depends_on_its_generation(monkeypatch, capability, expected) -> None:
    use_gpu(monkeypatch, capability)
    assert resolve_precision("auto", "cuda") == expected


def test_auto_is_float32_without_the_device(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_precision("auto", "cuda") == "float32"
    assert resolve_precision("auto", "mps") == "float32"


@pytest.mark.parametrize("requested", ["float32", "bf16"])
def test_a_precision_other_than_auto_is_used(monkeypatch, requested) -> None:
    use_processor(monkeypatch, avx512=requested == "float32", amx=False)
    assert resolve_precision(requested, "cpu") == requested


@pytest.mark.parametrize("limit", ["", "AVX2"])
def test_bf16_is_rejected_in_one_line_where_it_does_not_work(monkeypatch, limit) -> None:
    use_processor(monkeypatch, avx512=False, amx=False, limit=limit, works=False)
    with pytest.raises(ResourceError, match="does not compute in bf16") as error_info:
        resolve_precision("bf16", "cpu")
    message = str(error_info.value)
    assert "\n" not in message
    for word in ("Abacus 3000", "float32", "auto", "int8", f"ONEDNN_MAX_CPU_ISA={limit}" if limit else ""):
        assert word in message
    assert ("ONEDNN" in message) == bool(limit)
    assert resolve_precision("bf16", "cuda") == "bf16"


def test_emulated_bf16_is_used_with_one_warning(monkeypatch, caplog) -> None:
    use_processor(monkeypatch, avx512=False, amx=False)
    with caplog.at_level(logging.WARNING, "nmt_lstm"):
        assert [resolve_precision("bf16", "cpu") for _ in range(2)] == ["bf16", "bf16"]
    (record,) = caplog.records
    message = record.getMessage()
    assert "Abacus 3000" in message
    assert "emulates bf16" in message
    assert "float32 is faster" in message
    assert "\n" not in message


def test_fast_bf16_is_used_without_a_warning(monkeypatch, caplog) -> None:
    use_processor(monkeypatch, avx512=False, amx=True)
    assert slow_bf16() == ""
    assert resolve_precision("bf16", "cpu") == "bf16"
    assert not caplog.records


@pytest.mark.parametrize("has_bf16", [True, False])
def test_fp16_needs_a_gpu_and_the_error_names_what_the_processor_has(monkeypatch, has_bf16) -> None:
    assert resolve_precision("fp16", "cuda") == "fp16"
    monkeypatch.setattr(precision, "has_fast_bf16", lambda device: has_bf16)
    with pytest.raises(ResourceError, match="fp16.*CUDA GPU.*float32") as error_info:
        resolve_precision("fp16", "cpu")
    assert ("bf16" in str(error_info.value)) == has_bf16


def test_products_are_rounded_only_inside_the_region() -> None:
    inputs, weight = torch.randn(4, 4), torch.randn(4, 4)
    with autocast("cpu", "bf16"):
        assert (inputs @ weight).dtype == torch.bfloat16
    with autocast("cpu", "fp16"):
        assert torch.get_autocast_dtype("cpu") == torch.float16
    with autocast("cpu", "float32"):
        assert (inputs @ weight).dtype == torch.float32
    assert (inputs @ weight).dtype == torch.float32
