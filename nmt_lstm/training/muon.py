"""Muon for matrices, and AdamW for everything else, as one optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch.optim import AdamW, Optimizer

from nmt_lstm.errors import ResourceError

__all__ = ["ORTHOGONAL", "MuonWithAdamW"]

ORTHOGONAL = "orthogonal"
"""Key of a group of parameters: whether Muon updates them."""


class MuonWithAdamW(Optimizer):
    """Orthogonalizes the momentum of matrices (Jordan et al. 2024, "Muon"), and lets AdamW update the other parameters.

    Muon is defined for matrices that multiply hidden states. Embeddings, output weights and vectors are not such matrices
    and need another optimizer. The update of a matrix is scaled to the size of AdamW's (Liu et al. 2025, "Muon is scalable
    for LLM training"), so that one learning rate and one weight decay fit both.

    Args:
        params: groups; each has a key `ORTHOGONAL`.
        lr: learning rate.
        weight_decay: decoupled, of groups without their own.
        momentum: of Muon.
        nesterov: whether Muon looks ahead by one step of its momentum.
        ns_steps: Newton-Schulz iterations that orthogonalize a matrix.
        betas: decay rates of AdamW.
        eps: denominator term of AdamW.
        fused: whether AdamW uses PyTorch's single-kernel update.

    Raises:
        ResourceError: this version of PyTorch has no Muon.
    """

    def __init__(
        self,
        params: Iterable[dict[str, Any]],
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        *,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_steps: int = 5,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        fused: bool | None = None,
    ) -> None:
        muon = getattr(torch.optim, "Muon", None)
        if muon is None:
            raise ResourceError(
                f"training.optimizer.name = 'muon' needs PyTorch 2.9 or later, but this is {torch.__version__}: upgrade "
                f"torch, or choose a different optimizer."
            )
        groups = list(params)
        matrices = [group for group in groups if group[ORTHOGONAL]]
        others = [group for group in groups if not group[ORTHOGONAL]]
        self._parts: list[Optimizer] = []
        if matrices:
            scaling = {"ns_steps": ns_steps, "adjust_lr_fn": "match_rms_adamw"}
            self._parts.append(muon(matrices, lr, weight_decay, momentum, nesterov, **scaling))
        if others:
            self._parts.append(AdamW(others, lr, betas, eps, weight_decay, fused=fused))
        # The parts have filled in the options of their groups.
        super().__init__([group for part in self._parts for group in part.param_groups], {"lr": lr})
        self._share()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state from a checkpoint."""
        super().load_state_dict(state_dict)
        self._share()

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update all parameters."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self._parts:
            part.step()
        return loss

    def _share(self) -> None:
        """Let the parts work on the groups and the state of this optimizer, which checkpoints contain."""
        for part, orthogonal in zip(self._parts, self._kinds(), strict=True):
            part.param_groups = [group for group in self.param_groups if group[ORTHOGONAL] == orthogonal]
            part.state = self.state

    def _kinds(self) -> Sequence[bool]:
        kinds = {bool(group[ORTHOGONAL]) for group in self.param_groups}
        return sorted(kinds, reverse=True)
