"""The models that give features of hypotheses for rescoring."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nmt_lstm.inference.rescoring import PairScores, Rescorer
from nmt_lstm.inference.text_model import LanguageModel
from nmt_lstm.inference.translator import Translator

__all__ = ["load_rescorer"]


def load_rescorer(
    *,
    language_model: str | Path | None = None,
    models: Sequence[str | Path] = (),
    reverse: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    batch_size: int = 64,
) -> Rescorer:
    """Return a rescorer with the features of these models.

    Args:
        language_model: folder of a language model of the target language, with any pieces.
        models: folders of further translation models with the same vocabularies, whose probabilities are averaged.
        reverse: folder of a translation model of the opposite direction.
        device: "auto", "cpu", "cuda" or "cuda:N".
        precision: see `Translator.load`.
        batch_size: hypotheses in a batch; it changes the speed, not the features.

    Raises:
        ModelFolderError: a folder is missing, damaged, or needs a plugin that is not installed.
        ConfigurationError: the vocabularies of `models` differ, or the device or precision is unknown.
        ResourceError: the device does not exist, or does not support the precision.
    """
    scores: dict[str, PairScores] = {}
    if language_model is not None:
        scores["lm"] = _text_scores(
            LanguageModel.load(language_model, device=device, precision=precision), batch_size
        )
    if models:
        scores["model"] = _pair_scores(
            Translator.load(models, device=device, precision=precision), batch_size
        )
    if reverse is not None:
        forward = _pair_scores(Translator.load(reverse, device=device, precision=precision), batch_size)
        scores["reverse"] = lambda sources, texts: forward(texts, sources)
    return Rescorer(scores)


def _text_scores(model: LanguageModel, batch_size: int) -> PairScores:
    def scores(_: Sequence[str], texts: Sequence[str]) -> list[float]:
        scored = model.score(texts, batch_size=batch_size)
        return [each.log_probability / len(each.piece_log_probabilities) for each in scored]

    return scores


def _pair_scores(translator: Translator, batch_size: int) -> PairScores:
    def scores(sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        scored = translator.score(sources, targets, batch_size=batch_size)
        return [each.log_probability / len(each.piece_log_probabilities) for each in scored]

    return scores
