"""What the comparison needs of Marian's model files. These functions load numpy: to be called apart."""

from __future__ import annotations

from pathlib import Path

# The name of END in its vocabularies, where it is always the first.
END = "</s>"
UNKNOWN = "<unk>"
# Beside the weights a file holds its options, as bytes.
OPTIONS = "special:"


def parameters(model: Path) -> int:
    """The number of weights in a model."""
    import numpy as np

    with np.load(model) as arrays:
        return sum(arrays[name].size for name in arrays.files if not name.startswith(OPTIONS))


def without_end(model: Path, output: Path) -> None:
    """Write the model with END made impossible."""
    import numpy as np

    with np.load(model) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    found["decoder_ff_logit_l2_b"][0, 0] = -50.0
    np.savez(output, **found)
