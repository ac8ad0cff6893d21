"""A model whose translations all run to the length limit."""

from __future__ import annotations

from pathlib import Path


def without_end(model: Path) -> None:
    """Make END impossible in a model folder: each of its translations then has as many pieces as the limit allows.

    An untrained network would end some of a beam's hypotheses at once. This imports torch: to be called apart.
    """
    from nmt_lstm.checkpoint import model_folder
    from nmt_lstm.text.special_pieces import END

    found = model_folder.read(model)
    network = found.load_model()
    network.output_bias.data[END] = -50.0
    state, metrics = network.state_dict(), found.metrics
    model_folder.write(model, run=found.run, subwords=found.subwords, model_state=state, metrics=metrics)
