"""Choosing the device on which a model runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nmt_lstm.errors import ConfigurationError, ResourceError

if TYPE_CHECKING:
    import torch

__all__ = ["check_device_name", "choose_device"]


def check_device_name(name: str) -> None:
    """Raise ConfigurationError unless `choose_device` knows the name; works without torch."""
    kind, colon, number = name.partition(":")
    if name == "auto":
        return
    if kind not in ("cpu", "cuda") or (colon and (kind == "cpu" or not number.isdecimal())):
        raise ConfigurationError(
            f"unknown device '{name}'; use auto, cpu, cuda, or cuda:N with a GPU's number.",
            key="device",
            value=name,
        )


def choose_device(name: str) -> torch.device:
    """Return the device named ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    Raises:
        ConfigurationError: the name is not one of these.
        ResourceError: this machine has no such device.
    """
    check_device_name(name)
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, number = name.partition(":")
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(number or 0) >= count:
            raise ResourceError(
                f"device '{name}' does not exist: PyTorch finds {count} CUDA GPUs; use auto or cpu."
            )
    return torch.device(name)
