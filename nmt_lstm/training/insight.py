"""The callback that monitors gradients during training: norms at every step, and at intervals how far they reach back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytorch_lightning as pl
from torch import Tensor, nn
from torch.optim import Optimizer

from nmt_lstm.batching.batch import Batch, collate
from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.model.gradient_flow import Flow, Reach, gradient_flow
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.training.gradient_advice import (
    Symptoms,
    exploding_norms,
    flow_warnings,
    lasting_symptoms,
    symptoms,
)
from nmt_lstm.training.gradient_norms import Norms, NormSums
from nmt_lstm.training.module import TranslationModule

__all__ = ["FLOW_TABLE", "LOGGED_LAGS", "GradientInsight", "measured_pairs"]

FLOW_TABLE = "gradient_flow"
"""Prefix of the metrics of a flow, such as ``gradient_flow/encoder_1_forward/lag_10``."""
LOGGED_LAGS = (1, 2, 5, 10, 20, 50)
"""The lags at which the gradient flow is logged."""

# Size of the measured batch; more pairs and positions would take time and hardly change the means.
_PAIRS = 8
_POSITIONS = 60


class GradientInsight(pl.Callback):
    """Logs gradient norms and the gradient flow of each cell, warns once if they vanish or explode, and summarizes them.

    Norms are recorded at every step. The flow (see `nmt_lstm.model.gradient_flow`) is measured by the first process after
    the first step and then at regular intervals, always on the same pairs, so that only changes of the network show.
    Training does not depend on it: a measurement draws no random numbers, and restores modes and gradients.

    Args:
        pairs: called once, to get the pairs to measure; see `measured_pairs`.
        every: steps between measurements of the flow.
        model: settings of the network, for advice about its cells.
        clip_norm: the largest norm of the gradient; 0 is off.
        clip_value: the largest component of the gradient; 0 is off.
        warn: called with each warning.
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
        """The reach of each cell in the first measurement, by its key, such as "encoder.1.forward"."""
        self.last: dict[str, Reach] = {}
        """The same in the last measurement."""
        self._run = NormSums()
        self._window = NormSums()
        """Since the previous measurement."""
        self._symptoms: Symptoms = {}
        self._warned: set[str] = set()
        self._unclipped: Tensor | None = None
        self._measured_pairs: Batch | None = None

    # Lightning's hooks

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Optimizer
    ) -> None:
        """Record the norm before components are clipped; the module's own norm is computed after that."""
        if self.clip_value > 0.0:
            gradients = [weight.grad for weight in pl_module.parameters() if weight.grad is not None]
            self._unclipped = nn.utils.get_total_norm(gradients)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Record the norms of an optimizer step, and measure the flow if it is due."""
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
            "first": {cell: list(reach) for cell, reach in self.first.items()},
            "last": {cell: list(reach) for cell, reach in self.last.items()},
            "symptoms": self._symptoms,
            "warned": sorted(self._warned),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from the state in a checkpoint."""
        self._run.load_state_dict(state_dict["run"])
        self._window.load_state_dict(state_dict["window"])
        self.first = {cell: Reach(*reach) for cell, reach in state_dict["first"].items()}
        self.last = {cell: Reach(*reach) for cell, reach in state_dict["last"].items()}
        self._symptoms = dict(state_dict["symptoms"])
        self._warned = set(state_dict["warned"])

    # Measurements

    def _measure(self, trainer: pl.Trainer, module: TranslationModule, step: int) -> None:
        norms = self._window.norms()
        self._window = NormSums()
        if self._measured_pairs is None:
            self._measured_pairs = self.pairs().to(module.device)
        # Other networks are refused before anything is read.
        assert isinstance(module.model, Seq2Seq)
        flows = gradient_flow(module.model, self._measured_pairs)
        row = _logged(norms, flows)
        for logger in trainer.loggers:
            logger.log_metrics(row, step=step)
        self.last = {flow.location.key: flow.reach for flow in flows}
        self.first = self.first or self.last
        self._warn_once(norms, flows, step)

    def _warn_once(self, norms: Norms, flows: Sequence[Flow], step: int) -> None:
        before, self._symptoms = self._symptoms, symptoms(flows)
        lasting = lasting_symptoms(before, self._symptoms)
        warnings = flow_warnings(lasting, flows, step=step, model=self.model, clip_norm=self.clip_norm)
        # The norm at the first step is that of the initial weights, which says nothing about training.
        if step > 1:
            warnings["norms"] = exploding_norms(norms, step=step, clip_norm=self.clip_norm)
        for kind, warning in warnings.items():
            if warning and kind not in self._warned:
                self._warned.add(kind)
                self.warn(warning)

    def summary(self) -> dict[str, str]:
        """Return rows for the summary at the end of training: names and values."""
        norms = self._run.norms()
        rows = {}
        if norms.steps:
            clipping = (
                f"{norms.mean_clipped:.3g} after clipping; {norms.clipped_share:.0%} of the steps clipped"
                if self.clip_norm or self.clip_value
                else "never clipped"
            )
            rows["gradient norm"] = f"{norms.mean:.3g} on average, {clipping}"
        if self.last:
            reaches = [f"{cell} {self.first[cell]} to {reach}" for cell, reach in self.last.items()]
            rows["gradient horizon"] = f"{', '.join(reaches)} positions"
        return rows


def measured_pairs(batches: Sequence[Batch]) -> Batch:
    """Return the pairs of which the gradient flow is measured.

    They are at most 8, the shortest of the longest tenth, cut to 60 pieces. Lags end where the shortest sentence does, so
    the pairs should be long and of similar length.

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
    # Of pairs whose shorter side is the same, as of answers of one piece, those with the longer other side.
    found.sort(key=lambda pair: (min(map(len, pair)), sum(map(len, pair))), reverse=True)
    chosen = found[: max(1, len(found) // 10)][-_PAIRS:]
    return collate([source for source, _ in chosen], [target for _, target in chosen])


def _pieces(pieces: Tensor, length: Tensor) -> list[int]:
    """Return the pieces of a sentence without its end, cut."""
    found: list[int] = pieces[: min(int(length), _POSITIONS) - 1].tolist()
    return found


def _logged(norms: Norms, flows: Sequence[Flow]) -> dict[str, float]:
    """Return the metrics of a measurement: norms, horizons (if none, the longest lag), and norms relative to lag 0."""
    row = {"gradient_norm_clipped": norms.mean_clipped, "clipped_share": norms.clipped_share}
    for flow in flows:
        name = f"{FLOW_TABLE}/{flow.location.key.replace('.', '_')}"
        horizon, longest = flow.reach
        row[f"{name}/horizon"] = float(longest if horizon is None else horizon)
        row.update({f"{name}/lag_{lag}": flow.relative[lag] for lag in LOGGED_LAGS if lag <= longest})
    return row
