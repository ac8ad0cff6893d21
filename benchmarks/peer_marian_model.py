"""Functions on model files of Marian. Call them with `in_process`: they import numpy."""

from __future__ import annotations

from pathlib import Path

# The name of the end of a sentence in its vocabularies, always the first entry.
END = "</s>"
UNKNOWN = "<unk>"
# The prefix of options, which a file stores as bytes beside the weights.
OPTIONS = "special:"


def parameters(model: Path) -> int:
    """Return the number of weights in a model."""
    import numpy as np

    with np.load(model) as arrays:
        return sum(arrays[name].size for name in arrays.files if not name.startswith(OPTIONS))


def without_end(model: Path, output: Path) -> None:
    """Write a copy of the model that cannot end sentences."""
    import numpy as np

    with np.load(model) as arrays:
        weights = {name: arrays[name] for name in arrays.files}
    weights["decoder_ff_logit_l2_b"][0, 0] = -50.0
    np.savez(output, **weights)
