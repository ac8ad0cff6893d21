"""A logger that cannot end a training run: after its first failure, it is switched off with a warning."""

from __future__ import annotations

import logging
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import Logger

from nmt_lstm.errors import ConfigurationError

__all__ = ["DependableLog"]

logger = logging.getLogger(__name__)


class DependableLog(Logger):
    """Passes everything on to a logger until that fails.

    A server that does not answer, or a full disk of another machine, must not cost a run of days. Before the first step,
    a failure is an error instead: then it is a wrong setting, and nothing is lost (see `start`).

    Args:
        inner: the logger.
        label: how messages name it.
    """

    def __init__(self, inner: Logger, label: str) -> None:
        super().__init__()
        self.inner = inner
        self.label = label
        self.failed = False

    @property
    def name(self) -> str | None:
        """The name of the logger's experiment."""
        value: str | None = self._try(lambda: self.inner.name)
        return value

    @property
    def version(self) -> int | str | None:
        """The version, or the id, of the logger's run."""
        value: int | str | None = self._try(lambda: self.inner.version)
        return value

    @property
    def save_dir(self) -> str | None:
        """The folder of the logger, if it writes to one."""
        value: str | None = self._try(lambda: self.inner.save_dir)
        return value

    @property
    def experiment(self) -> Any:
        """What the logger offers for direct access, such as the writer of TensorBoard."""
        return self.inner.experiment  # type: ignore[attr-defined]

    def start(self, settings: dict[str, Any]) -> None:
        """Connect the logger to its server, and log the settings of the run, if there are any.

        Raises:
            ConfigurationError: the logger fails.
        """
        try:
            if settings:
                self.inner.log_hyperparams(settings)
            _ = self.inner.version  # connects a logger whose run continues
        except Exception as problem:
            raise ConfigurationError(
                f"the logger '{self.label}' cannot start: {type(problem).__name__}: {_one_line(problem)}. Correct its options, "
                f"or remove it from training.loggers.",
                key="training.loggers",
                value=self.label,
            ) from problem

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Log metrics of a step."""
        self._try(lambda: self.inner.log_metrics(metrics, step=step))

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Log settings."""
        self._try(lambda: self.inner.log_hyperparams(params, *args, **kwargs))

    def save(self) -> None:
        """Write what is buffered."""
        self._try(self.inner.save)

    def after_save_checkpoint(self, checkpoint_callback: ModelCheckpoint) -> None:
        """Tell the logger that a checkpoint was saved."""
        self._try(lambda: self.inner.after_save_checkpoint(checkpoint_callback))

    def finalize(self, status: str) -> None:
        """Close the logger's run."""
        self._try(lambda: self.inner.finalize(status))

    def _try(self, call: Callable[[], Any]) -> Any:
        if self.failed:
            return None
        try:
            return call()
        except Exception as problem:  # noqa: BLE001 - whatever a logger raises, the run continues
            self.failed = True
            logger.warning(
                "the logger '%s' failed (%s: %s) and is switched off; training continues, and logs/metrics.csv has all values.",
                self.label,
                type(problem).__name__,
                _one_line(problem),
            )
            return None


def _one_line(problem: BaseException) -> str:
    return " ".join(str(problem).split())[:300].rstrip(".") or "no message"
