"""Placeholders and tags in translations: how often they are kept, at what cost in BLEU and time, on one core.

In each line, a word with a known translation becomes a placeholder, an address or a number, in the reference too. BLEU is
that of texts with the same sign in place of these parts, so it says whether they stand in the right place. Then the same
words are enclosed in ``<b>`` in HTML. Seconds are those of the processor, so that other programs do not count.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from report import Row

if TYPE_CHECKING:
    from nmt_lstm import Translator

# Words with one usual translation, and one of them that stands for a part.
WORDS = {
    "de-en": "Mann=man Frau=woman Hund=dog Junge=boy Mädchen=girl Ball=ball Strand=beach Straße=street Wasser=water "
    "Menschen=people Männer=men Frauen=women Kind=child Hemd=shirt Fahrrad=bike",
    "en-ja": "Emi=エミ dog=犬 cat=猫 car=車 book=本 teacher=先生 library=図書館",
}
PARTS = (
    "{name}",
    "%s",
    "%(count)d",
    "https://example.org/a?b=1",
    "anna@example.org",
    "{0}",
    "42.50",
    "${user}",
)
NAMES = ("placeholders", "urls", "emails", "numbers")
SIGN = "＠"


class Line(NamedTuple):
    """A line with a part to keep."""

    original: str
    source: str
    reference: str
    part: str
    tagged: str
    translated_word: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--model", default="builtin:en-ja", metavar="FOLDER", help="model folder")
    parser.add_argument("--source", type=Path, metavar="FILE", help="[default: the built-in test text]")
    parser.add_argument("--reference", type=Path, metavar="FILE", help="its translation")


def measure(options: argparse.Namespace) -> list[Row]:
    """Translate the lines in each way."""
    import torch

    from nmt_lstm import TextOptions, TranslationRequest, Translator, builtin_corpus_folder, read_lines

    torch.set_num_threads(1)
    translator = Translator.load(options.model)
    builtin = builtin_corpus_folder()
    sources = list(read_lines(options.source or builtin / "test.en"))
    references = list(read_lines(options.reference or builtin / "test.ja"))
    data = translator.run.data
    words = [pair.split("=") for pair in WORDS[f"{data.source_language}-{data.target_language}"].split()]
    lines = _lines(sources, references, words)[: 20 if options.quick else None]
    translator.translate([line.source for line in lines[:64]])  # kernels are made in the first calls

    def texts(requests: Sequence[str | TranslationRequest], text: TextOptions | None = None) -> list[str]:
        return [each.text for each in translator.translate(requests, text=text)]

    kept = [line.source for line in lines]
    ways: dict[str, Callable[[], list[str]]] = {
        "the words themselves": lambda: texts([line.original for line in lines]),
        "no option": lambda: texts(kept),
        "required phrases": lambda: texts(
            [TranslationRequest(line.source, require=[line.part]) for line in lines]
        ),
        "keep": lambda: texts(kept, TextOptions(NAMES)),
        f"keep as {'='.join(words[0])}": lambda: texts(kept, TextOptions(NAMES, keep_as="=".join(words[0]))),
    }
    rows: list[Row] = []
    base = 0.0
    for name, way in ways.items():
        start = time.process_time()
        translations = way()
        seconds = time.process_time() - start
        base = base or seconds
        rows.append(_row(translator, name, translations, lines, seconds / base, is_original=not rows))
    return [*rows, _tagged(translator, lines)]


def _lines(sources: Sequence[str], references: Sequence[str], words: Sequence[Sequence[str]]) -> list[Line]:
    lines: list[Line] = []
    for source, reference in zip(sources, references, strict=True):
        for word, translated in words:
            here = re.compile(rf"\b{word}\b")
            spaced = translated.isascii()
            there = re.compile(rf"\b{translated}\b" if spaced else translated, re.IGNORECASE)
            if len(here.findall(source)) == len(there.findall(reference)) == 1:
                part = PARTS[len(lines) % len(PARTS)]
                tagged = here.sub(f"<b>{word}</b>", source)
                with_part = here.sub(lambda _, part=part: part, source)
                expected = there.sub(lambda _, part=part: part, reference)
                lines.append(Line(source, with_part, expected, part, tagged, translated))
                break
    return lines


def _row(
    translator: Translator,
    name: str,
    translations: Sequence[str],
    lines: Sequence[Line],
    ratio: float,
    *,
    is_original: bool,
) -> Row:
    from nmt_lstm import corpus_scores

    if is_original:  # the usual translation of the word becomes the part
        translations = [
            re.sub(
                re.escape(line.translated_word),
                lambda _, line=line: line.part,
                text,
                count=1,
                flags=re.IGNORECASE,
            )
            for text, line in zip(translations, lines, strict=True)
        ]
    once = sum(text.count(line.part) == 1 for text, line in zip(translations, lines, strict=True))
    (bleu,) = corpus_scores(
        [text.replace(line.part, SIGN) for text, line in zip(translations, lines, strict=True)],
        [line.reference.replace(line.part, SIGN) for line in lines],
        metrics=("bleu",),
        tokenize=translator.tokenizer,
    )
    counted = f"BLEU {bleu.value:.1f}, exactly once in {once} of {len(lines)} lines"
    return Row(name, ratio, "times the time of the words themselves", counted)


def _tagged(translator: Translator, lines: Sequence[Line]) -> Row:
    """Return how often the element has the translation of the word, and nothing else, where that word is in the text."""
    document = "".join(f"<p>{line.tagged}</p>\n" for line in lines)
    right = total = 0
    for text, line in zip(translator.translate_html(document).splitlines(), lines, strict=True):
        plain = re.sub("<[^>]*>", "", text).lower()
        if line.translated_word in plain:
            total += 1
            right += re.findall("<b>(.*?)</b>", text.lower()) == [line.translated_word]
    return Row("tags", right / max(1, total), "of the elements have exactly their word", f"{total} lines")
