"""A run's settings and the files that they name, checked before text is read: a mistake must not cost hours."""

from __future__ import annotations

from collections.abc import Sequence

import pytorch_lightning as pl

from nmt_lstm.config.schema import ModelSettings, SearchSettings, TrainingSettings
from nmt_lstm.config.tasks import TaskName
from nmt_lstm.model.build import check_network
from nmt_lstm.search.setting_checks import check_search
from nmt_lstm.training.callbacks import build_callbacks, check_callbacks
from nmt_lstm.training.initial_weights import freeze, read_base
from nmt_lstm.training.loggers import check_loggers
from nmt_lstm.training.optimization import check_optimizer
from nmt_lstm.training.pretrained_embeddings import check_vectors

__all__ = ["check_named_parts", "check_run"]


def check_run(
    training: TrainingSettings,
    search: SearchSettings,
    *,
    task: TaskName,
    model: ModelSettings,
    continues: bool,
    callbacks: Sequence[pl.Callback] = (),
) -> list[pl.Callback]:
    """Check all settings but those of the text, and the files that they name, and return the run's callbacks.

    Args:
        training: how the run is trained.
        search: how it is validated.
        task: of the run.
        model: settings of its network.
        continues: whether the run continues from a checkpoint, so that it needs nothing to start from.
        callbacks: those that the caller of `fit` made.

    Raises:
        ConfigurationError: a class, an option or a package is missing, or the model to be fine-tuned has a different network,
            word vectors have a different width, or search settings contradict each other.
        DataError: a file of word vectors cannot be read.
        ModelFolderError: the model to be fine-tuned cannot be read.
        PluginError: the network has a part that cannot be built.
        ResourceError: this version of PyTorch does not have the optimizer.
    """
    check_search(search)
    network = check_network(task, model)
    if training.freeze:
        freeze(network, training.freeze)
    own = check_named_parts(training, callbacks)
    if not continues:
        check_vectors(training, model.embedding_size)
        if training.init_from is not None:
            read_base(training.init_from, task, model)
    return own


def check_named_parts(training: TrainingSettings, callbacks: Sequence[pl.Callback] = ()) -> list[pl.Callback]:
    """Check the optimizer, the loggers and the callbacks that settings name, and return the callbacks.

    Args:
        training: the settings.
        callbacks: those that the caller of `fit` made.

    Raises:
        ConfigurationError: a class, an option or a package is missing.
        ResourceError: this version of PyTorch does not have the optimizer.
    """
    check_optimizer(training)
    check_loggers(training)
    own = [*build_callbacks(training), *callbacks]
    check_callbacks(own)
    return own
