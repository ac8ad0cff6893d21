"""Choosing where a model runs."""

from __future__ import annotations

import torch

from nmt_lstm.errors import ConfigurationError, ResourceError

__all__ = ["choose_device"]


def choose_device(name: str) -> torch.device:
    """Return the device named ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    Raises:
        ConfigurationError: the name is none of these.
        ResourceError: this machine has no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and (kind == "cpu" or not number.isdecimal())):
        raise ConfigurationError(
            f"unknown device '{name}'; use auto, cpu, cuda, or cuda:N with a GPU's number."
        )
    if kind == "cuda":
        found = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(number or 0) >= found:
            raise ResourceError(
                f"device '{name}' is not there: PyTorch finds {found} CUDA GPUs; use auto or cpu."
            )
    return torch.device(name)
