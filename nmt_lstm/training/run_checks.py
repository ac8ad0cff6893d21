"""What a run's settings name outside of the network, checked before text is read: a mistake must not cost hours."""

from __future__ import annotations

from collections.abc import Sequence

import pytorch_lightning as pl

from nmt_lstm.config.schema import RunSettings
from nmt_lstm.training.callbacks import build_callbacks, check_callbacks
from nmt_lstm.training.initial_weights import read_base
from nmt_lstm.training.loggers import check_loggers
from nmt_lstm.training.optimization import check_optimizer
from nmt_lstm.training.pretrained_embeddings import check_vectors

__all__ = ["check_run"]


def check_run(
    run: RunSettings, *, continues: bool, callbacks: Sequence[pl.Callback] = ()
) -> list[pl.Callback]:
    """Check optimizer, loggers, callbacks, word vectors and the model to be fine-tuned, and return the callbacks of the run.

    Args:
        run: the settings.
        continues: whether the run continues from a checkpoint, so that it needs no model to start from.
        callbacks: those that the caller of `fit` made.

    Raises:
        ConfigurationError: a class, an option or a package is missing, or the model to be fine-tuned has another network.
        DataError: a file of word vectors cannot be read.
        ModelFolderError: the model to be fine-tuned cannot be read.
        ResourceError: this version of PyTorch does not have the optimizer.
    """
    check_optimizer(run.training)
    check_loggers(run.training)
    own = [*build_callbacks(run.training), *callbacks]
    check_callbacks(own)
    if run.training.init_from is not None and not continues:
        read_base(run.training.init_from, run.task, run.model)
    if not continues:
        check_vectors(run.training, run.model.embedding_size)
    return own
