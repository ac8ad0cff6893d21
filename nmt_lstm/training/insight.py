"""The callback that watches gradients during training: their norms at each step, and now and then how far they reach back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from nmt_lstm.batching.batch import Batch, collate
from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.model.gradient_flow import Flow, gradient_flow
from nmt_lstm.model.places import Place
from nmt_lstm.training.gradient_advice import Norms, Suspicions, exploding_norms, suspicions, warnings_of
from nmt_lstm.training.module import TranslationModule

__all__ = ["FLOW_TABLE", "LOGGED_LAGS", "GradientInsight", "measured_pairs"]

FLOW_TABLE = "gradient_flow"
"""Begins the names of what is logged of a flow: ``gradient_flow/encoder_1_forward/lag_10``."""
LOGGED_LAGS = (1, 2, 5, 10, 20, 50)
"""Lags of the gradient flow that are logged."""

# What is measured: more pairs and positions would cost time and hardly change the means.
_PAIRS = 8
_POSITIONS = 60

Reach = tuple[int | None, int]
"""A flow's horizon, and the longest lag that was measured."""


class GradientInsight(pl.Callback):
    """Logs the gradient's norms and the gradient flow of each cell, warns of what vanishes or explodes, and sums up.

    Norms are those of every step. The flow (see `nmt_lstm.model.gradient_flow`) is measured after the first step and then
    every so many, always on the same pairs, so that what changes is the network, and by the first process alone. Nothing of the
    training depends on it: it draws nothing and leaves gradients, modes and states as they are.

    Args:
        pairs: called once, for the pairs of which the flow is measured; see `measured_pairs`.
        every: steps between measurements.
        model: settings of the network, for advice about its cells.
        clip_norm: the largest norm of the gradient; 0 is off.
        clip_value: the largest component of the gradient; 0 is off.
        warn: is given each warning once.
    """

    def __init__(
        self,
        *,
        pairs: Callable[[], Batch],
        every: int,
        model: ModelSettings,
        clip_norm: float,
        clip_value: float,
        warn: Callable[[str], None],
    ) -> None:
        self.pairs = pairs
        self.every = every
        self.model = model
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.warn = warn
        self.first: dict[str, Reach] = {}
        """Of the first measurement, by the names of the places."""
        self.last: dict[str, Reach] = {}
        self._run = _Sums()
        self._window = _Sums()
        """Since the measurement before."""
        self._suspicions: Suspicions = {}
        self._warned: set[str] = set()
        self._unclipped: Tensor | None = None
        self._measured: Batch | None = None

    # Lightning's hooks

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Optimizer
    ) -> None:
        """Take the norm before components are clipped; the module's own is taken after that."""
        if self.clip_value > 0.0:
            gradients = [weight.grad for weight in pl_module.parameters() if weight.grad is not None]
            self._unclipped = nn.utils.get_total_norm(gradients)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Count a step, and measure where it is time for that."""
        assert isinstance(pl_module, TranslationModule)
        norm = pl_module.gradient_norm
        if (batch_idx + 1) % trainer.accumulate_grad_batches or norm is None:
            return
        clipped = norm.clamp(max=self.clip_norm) if self.clip_norm > 0.0 else norm
        before = norm if self._unclipped is None else self._unclipped
        for sums in (self._run, self._window):
            sums.add(before.detach(), clipped)
        step = trainer.global_step
        if trainer.is_global_zero and (step == 1 or step % self.every == 0):
            self._measure(trainer, pl_module, step)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {
            "run": self._run.state_dict(),
            "window": self._window.state_dict(),
            "first": {name: list(reach) for name, reach in self.first.items()},
            "last": {name: list(reach) for name, reach in self.last.items()},
            "suspicions": self._suspicions,
            "warned": sorted(self._warned),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from the state in a checkpoint."""
        self._run.load_state_dict(state_dict["run"])
        self._window.load_state_dict(state_dict["window"])
        self.first = {name: (reach[0], reach[1]) for name, reach in state_dict["first"].items()}
        self.last = {name: (reach[0], reach[1]) for name, reach in state_dict["last"].items()}
        self._suspicions = dict(state_dict["suspicions"])
        self._warned = set(state_dict["warned"])

    # What is measured

    def _measure(self, trainer: pl.Trainer, module: TranslationModule, step: int) -> None:
        norms = self._window.norms()
        self._window = _Sums()
        row = {"gradient_norm_clipped": norms.mean_clipped, "clipped_share": norms.clipped}
        if self._measured is None:
            self._measured = self.pairs().to(module.device)
        flows = gradient_flow(module.model, self._measured)
        for flow in flows:
            row.update(_logged(flow))
        for logger in trainer.loggers:
            logger.log_metrics(row, step=step)
        self.last = {_short_name(flow.place): (flow.horizon, len(flow.norms) - 1) for flow in flows}
        self.first = self.first or self.last
        # The first step's gradients are those of fresh weights, whose sizes say nothing about training.
        warnings = warnings_of(self._suspicions, flows, step=step, model=self.model, clip_norm=self.clip_norm)
        if step > 1:
            warnings["norms"] = exploding_norms(norms, step=step, clip_norm=self.clip_norm)
        self._suspicions = suspicions(flows)
        for kind, warning in warnings.items():
            if warning and kind not in self._warned:
                self._warned.add(kind)
                self.warn(warning)

    def summary(self) -> dict[str, str]:
        """Return what the whole training showed as names and sentences, for the table at its end."""
        norms = self._run.norms()
        rows = {}
        if norms.steps:
            clipping = (
                f"{norms.mean_clipped:.3g} after clipping; {norms.clipped:.0%} of the steps clipped"
                if self.clip_norm or self.clip_value
                else "never clipped"
            )
            rows["gradient norm"] = f"{norms.mean:.3g} on average, {clipping}"
        if self.last:
            reaches = [
                f"{name} {_reach(self.first[name])} to {_reach(reach)}" for name, reach in self.last.items()
            ]
            rows["gradient horizon"] = f"{', '.join(reaches)} positions"
        return rows


class _Sums:
    """Sums over steps; on a GPU nobody waits for them until they are read."""

    def __init__(self) -> None:
        self.steps = 0
        self.values: Tensor | None = None
        """(4,): of finite norms before clipping and after it, of clipped steps, and how many norms were finite."""

    def add(self, norm: Tensor, clipped: Tensor) -> None:
        """Count a step. A gradient scaler skips steps whose norm is not finite."""
        finite = torch.isfinite(norm)
        row = torch.stack([norm, clipped, (clipped < norm).to(norm), torch.ones_like(norm)])
        row = torch.where(finite, row, 0.0).double()
        self.steps += 1
        self.values = row if self.values is None else self.values.to(row.device) + row

    def norms(self) -> Norms:
        """Return the means so far."""
        if self.values is None:
            return Norms(0, 0.0, 0.0, 0.0)
        *sums, count = self.values.tolist()
        return Norms(self.steps, *(value / max(1.0, count) for value in sums))

    def state_dict(self) -> dict[str, Any]:
        """Return the sums as plain values."""
        return {"steps": self.steps, "values": None if self.values is None else self.values.tolist()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from saved sums."""
        self.steps, values = int(state["steps"]), state["values"]
        self.values = None if values is None else torch.tensor(values, dtype=torch.float64)


def measured_pairs(batches: Sequence[Batch]) -> Batch:
    """Return the pairs of which the gradient flow is measured: of the longest tenth the shortest ones, at most 8, cut to 60
    pieces. Lags end where the shortest sentence does, so they are to be long and alike.

    Args:
        batches: of the validation text.
    """
    found = [
        (_pieces(source, length), _pieces(target, label_count))
        for batch in batches
        for source, length, target, label_count in zip(
            batch.source.pieces, batch.source.lengths, batch.target_outputs, batch.target_lengths, strict=True
        )
    ]
    found.sort(key=lambda pair: min(map(len, pair)), reverse=True)
    chosen = found[: max(1, len(found) // 10)][-_PAIRS:]
    return collate([source for source, _ in chosen], [target for _, target in chosen])


def _pieces(pieces: Tensor, length: Tensor) -> list[int]:
    """Return a sentence's pieces without its end."""
    found: list[int] = pieces[: min(int(length), _POSITIONS) - 1].tolist()
    return found


def _logged(flow: Flow) -> dict[str, float]:
    """Return what is logged of a flow: the horizon (the longest lag if it is not reached), and relative norms."""
    name = _log_name(flow.place)
    longest = len(flow.norms) - 1
    row = {f"{name}/horizon": float(longest if flow.horizon is None else flow.horizon)}
    row.update({f"{name}/lag_{lag}": flow.relative[lag] for lag in LOGGED_LAGS if lag <= longest})
    return row


def _log_name(place: Place) -> str:
    return f"{FLOW_TABLE}/{_short_name(place).replace(' ', '_')}"


def _short_name(place: Place) -> str:
    return f"{place.side} {place.layer} {place.direction}"


def _reach(reach: Reach) -> str:
    horizon, longest = reach
    return f"≥ {longest}" if horizon is None else str(horizon)
