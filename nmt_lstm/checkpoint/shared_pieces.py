"""The check that a language model writes with the pieces of a translation model, from their manifests alone."""

from __future__ import annotations

from pathlib import Path

from nmt_lstm.checkpoint.manifest import Manifest
from nmt_lstm.corpora.builtin import model_name
from nmt_lstm.errors import ConfigurationError

__all__ = ["check_shared_pieces"]


def check_shared_pieces(
    translation: str | Path, manifest: Manifest, language_model: str | Path, other: Manifest
) -> None:
    """Check that a language model can take part in the search of a translation model.

    Args:
        translation: folder of the translation model.
        manifest: its manifest.
        language_model: folder of the language model.
        other: its manifest.

    Raises:
        WrongTaskError: the second model is not a language model.
        ConfigurationError: their target pieces differ.
    """
    other.check_task(Path(language_model), "language-model")
    name, own = model_name(translation), model_name(language_model)
    if manifest.vocabulary["target"] != other.vocabulary["target"]:
        raise ConfigurationError(
            f"'{own}' has different pieces from the target side of '{name}', so their probabilities cannot "
            f"be added; train the language model with --set subwords.model={name}, or use 'nmt-lstm rescore'.",
            key="language_model",
            value=str(language_model),
        )
