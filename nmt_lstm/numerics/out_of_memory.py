"""Recognising exceptions that mean that memory ran out: each library reports it in its own way."""

from __future__ import annotations

import errno
import re
import resource
from types import TracebackType

from nmt_lstm.errors import NmtLstmError

__all__ = ["is_loading", "is_out_of_memory", "memory_limit", "where_memory_ran_out"]

_MESSAGES = re.compile(
    r"(can't|cannot|failed to|unable to) allocate memory"  # PyTorch's DefaultCPUAllocator, the system, ONNX Runtime
    r"|not enough memory"  # the same allocator, on Windows
    r"|out[ _]of[ _]memory"  # CUDA, oneDNN
    r"|could not create a primitive$"  # oneDNN, for the code of a kernel; one that it does not support has no descriptor
    r"|_ALLOC_FAILED"  # cuBLAS, cuDNN
    r"|bad[ _]alloc"  # the C++ library, through SentencePiece and others
    r"|failed to map segment"  # the loader of shared libraries
    r"|storage size calculation overflowed",  # PyTorch, for a tensor that no memory could hold
    re.IGNORECASE,
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error is a failed allocation; the toolkit's own errors about memory are not.

    This works without torch, and recognises torch's class by its name, because backends have had their own.
    """
    if isinstance(error, NmtLstmError):
        return False
    if isinstance(error, MemoryError) or _is_torch_error(error):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, Exception) and _MESSAGES.search(str(error)) is not None


def where_memory_ran_out(error: BaseException) -> str:
    """Return "the GPU" or "this machine" for an error for which `is_out_of_memory` is true."""
    return (
        "the GPU"
        if _is_torch_error(error) or re.search("CUDA|cuBLAS|cuDNN", str(error), re.IGNORECASE)
        else "this machine"
    )


def memory_limit() -> int | None:
    """Return the bytes of memory that this process may have by its own limits (``ulimit -v``, ``-d``); None without one."""
    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    return min((limit for limit in limits if limit != resource.RLIM_INFINITY), default=None)


def is_loading(error: BaseException) -> bool:
    """Whether an error occurred while a module was imported, before it could do anything."""
    return isinstance(error, ImportError) or _imports(error.__traceback__)


def _imports(trace: TracebackType | None) -> bool:
    while trace is not None:
        if trace.tb_frame.f_code.co_name == "<module>":
            return True
        trace = trace.tb_next
    return False


def _is_torch_error(error: BaseException) -> bool:
    """Whether the error is a torch.OutOfMemoryError, which only accelerators raise."""
    return any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__)
