"""Language models, rescoring and batches as a typed program uses them; checked by ``mypy --strict``, never run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, assert_type

from nmt_lstm import (
    BatchTranslator,
    Continuation,
    GeneratedText,
    LanguageModel,
    NBestList,
    Rescorer,
    RescoringWeights,
    ScoredText,
    Translator,
    load_rescorer,
)


def writing(folder: Path) -> None:
    model = LanguageModel.load(folder)
    assert_type(model.next_words("A man", n=3), list[Continuation])
    assert_type(model.generate(["A man"], n=2), Iterator[list[GeneratedText]])
    assert_type(model.score(["A man sleeps."]), list[ScoredText])


def rescoring(translator: Translator, folder: Path) -> None:
    lists = [NBestList.of(translation) for translation in translator.translate(["Ein Hund."], n_best=5)]
    rescorer = load_rescorer(reverse=folder)
    assert_type(rescorer, Rescorer)
    weights = rescorer.tune(lists, [["A dog."]], metric="chrf")
    assert_type(weights, RescoringWeights)
    assert_type(rescorer.rescore(lists, weights), list[NBestList])
    columns = BatchTranslator(folder, options={"beam_size": 1})
    assert_type(columns({"text": ["Ein Hund."]}), dict[str, Any])
