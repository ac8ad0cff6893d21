"""A model whose translations all reach the length limit."""

from __future__ import annotations

from pathlib import Path


def without_end(model: Path) -> None:
    """Prevent a model from ending sentences, so that its translations reach the length limit.

    An untrained network would end some hypotheses of a beam at once. Call this with `in_process`: it imports torch.
    """
    from nmt_lstm.checkpoint import model_folder
    from nmt_lstm.text.special_pieces import END

    folder = model_folder.read(model)
    network = folder.load_model()
    network.output_bias.data[END] = -50.0
    state, metrics = network.state_dict(), folder.metrics
    model_folder.write(model, run=folder.run, subwords=folder.subwords, model_state=state, metrics=metrics)
