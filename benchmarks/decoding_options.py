"""What each option of decoding costs in time and BLEU beside plain beam search, on one core.

A prefix is the first word of the reference (of a text without spaces its first two characters). A required word is one of
the reference, drawn at random, that plain search does not write; an avoided word is one that it does write. Seconds are
those of the processor, so that other programs do not count.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report import Row

if TYPE_CHECKING:
    from nmt_lstm import SearchSettings, Translation, TranslationRequest, Translator

OPTIONS: dict[str, dict[str, Any]] = {
    "greedy": {"beam_size": 1},
    "no_repeat_ngram = 3": {"no_repeat_ngram": 3},
    "repetition_penalty = 1.2": {"repetition_penalty": 1.2},
    "5 groups of one hypothesis": {"beam_groups": 5},
    "3 groups of 2 hypotheses": {"beam_size": 6, "beam_groups": 3},
    "one sample": {"method": "sampling"},
    "one sample, top_k = 10": {"method": "sampling", "top_k": 10},
    "one sample, top_p = 0.9": {"method": "sampling", "top_p": 0.9},
    "least risk of the beam, chrF": {"decision": "chrf"},
    "least risk of 32 samples, chrF": {"method": "sampling", "decision": "chrf"},
    "least risk of 32 samples, BLEU": {"method": "sampling", "decision": "bleu"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--model", default="builtin:en-ja", metavar="FOLDER", help="model folder")
    parser.add_argument("--source", type=Path, metavar="FILE", help="[default: the built-in test text]")
    parser.add_argument("--reference", type=Path, metavar="FILE", help="its translation")


def measure(options: argparse.Namespace) -> list[Row]:
    """Translate the text with each option."""
    import torch

    from nmt_lstm import SearchSettings, Translator, builtin_corpus_folder, read_lines

    torch.set_num_threads(1)
    translator = Translator.load(options.model)
    builtin = builtin_corpus_folder()
    lines = list(read_lines(options.source or builtin / "test.en"))
    references = list(read_lines(options.reference or builtin / "test.ja"))
    if options.quick:
        lines, references = lines[:20], references[:20]
    translator.translate(lines[:64])  # kernels are made in the first calls
    plain, base = _timed(translator, lines, translator.run.search)
    texts = [translation.text for translation in plain]
    rows = [_row(translator, "plain beam search", plain, references, 1.0)]
    for name, settings in OPTIONS.items():
        search = SearchSettings(**{**translator.run.search.model_dump(), **settings})
        translations, seconds = _timed(translator, lines, search)
        rows.append(_row(translator, name, translations, references, seconds / base))
    requests = {
        "a prefix": [
            _request(line, prefix=_beginning(reference))
            for line, reference in zip(lines, references, strict=True)
        ],
        "a required word": [
            _request(line, require=_word(translator, reference, without=text))
            for line, reference, text in zip(lines, references, texts, strict=True)
        ],
        "an avoided word": [
            _request(line, avoid=_word(translator, text)) for line, text in zip(lines, texts, strict=True)
        ],
    }
    for name, asked in requests.items():
        translations, seconds = _timed(translator, asked, translator.run.search)
        row = _row(translator, name, translations, references, seconds / base)
        met = [
            not each.unmet and each.text.startswith(request.prefix)
            for each, request in zip(translations, asked, strict=True)
            if request.prefix or request.require or request.avoid
        ]
        rows.append(replace(row, counted=f"{row.counted}, met in {sum(met)} of {len(met)} lines that ask"))
    return rows


def _timed(
    translator: Translator, lines: Sequence[str | TranslationRequest], search: SearchSettings
) -> tuple[list[Translation], float]:
    start = time.process_time()
    translations = translator.translate(lines, search=search, alignment=False)
    return translations, time.process_time() - start


def _row(
    translator: Translator,
    name: str,
    translations: Sequence[Translation],
    references: Sequence[str],
    ratio: float,
) -> Row:
    from nmt_lstm import corpus_scores

    texts = [translation.text for translation in translations]
    (bleu,) = corpus_scores(texts, references, metrics=("bleu",), tokenize=translator.tokenizer)
    return Row(name, ratio, "times the time of plain beam search", f"BLEU {bleu.value:.1f}")


def _request(line: str, **asked: Any) -> TranslationRequest:
    from nmt_lstm import TranslationRequest

    return TranslationRequest(line, **asked)


def _beginning(reference: str) -> str:
    """Return the first word, or the first two characters of a text without spaces."""
    return reference.split()[0] if " " in reference else reference[:2]


def _word(translator: Translator, text: str, without: str = "") -> list[str]:
    """Return a word of a text (of one without spaces a piece), drawn at random, that another text does not have."""
    vocabulary = translator.subwords.target
    pieces = [piece.replace("▁", "") for piece in vocabulary.pieces(vocabulary.encode(text))]
    words = [
        word for word in (text.split() if " " in text else pieces) if word.isalnum() and word not in without
    ]
    return [random.Random(text).choice(words)] if words else []
