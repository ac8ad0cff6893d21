"""Failed allocations of every library are recognised, and other errors are not."""

from __future__ import annotations

import errno

import numpy as np
import pytest
import torch

from nmt_lstm.errors import ResourceError
from nmt_lstm.numerics.out_of_memory import is_out_of_memory, where_memory_ran_out


@pytest.mark.parametrize(
    "allocate",
    [
        lambda: torch.empty(2**45, dtype=torch.uint8),
        lambda: torch.empty(2**62, dtype=torch.float64),
        lambda: np.empty(2**60, dtype=np.uint8),
        lambda: bytearray(2**60),
    ],
    ids=["torch", "torch overflow", "numpy", "python"],
)
def test_real_failures_are_recognised(allocate) -> None:
    with pytest.raises(Exception) as error_info:
        allocate()
    assert is_out_of_memory(error_info.value)
    assert where_memory_ran_out(error_info.value) == "this machine"


class RuntimeException(Exception):  # noqa: N818 - ONNX Runtime's name
    """ONNX Runtime's class, which is not a RuntimeError."""


@pytest.mark.parametrize(
    ("problem", "device"),
    [
        (torch.OutOfMemoryError("Tried to allocate 2.50 GiB. GPU 0"), "the GPU"),
        (RuntimeError("CUDA error: out of memory"), "the GPU"),
        (
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
            "the GPU",
        ),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to"),
            "this machine",
        ),
        (
            RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
            "this machine",
        ),
        (RuntimeError("could not create a memory object: out_of_memory"), "this machine"),
        (RuntimeError("could not create a primitive"), "this machine"),
        (RuntimeError("Internal: std::bad_alloc"), "this machine"),
        (RuntimeException("Failed to allocate memory for requested buffer of size 9"), "this machine"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "this machine"),
        (MemoryError(), "this machine"),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), "this machine"),
    ],
)
def test_messages_of_libraries_are_recognised(problem: Exception, device: str) -> None:
    assert is_out_of_memory(problem)
    assert where_memory_ran_out(problem) == device


@pytest.mark.parametrize(
    "problem",
    [
        RuntimeError("shapes do not fit"),
        RuntimeError("could not create a primitive descriptor for a matmul primitive"),
        OSError(errno.ENOSPC, "No space left on device"),
        ResourceError("not enough memory on this machine; lower training.batch_pieces."),
        KeyboardInterrupt("out of memory"),
    ],
)
def test_other_errors_are_not_recognised(problem: BaseException) -> None:
    assert not is_out_of_memory(problem)
