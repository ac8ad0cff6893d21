"""Corpus scores of sacreBLEU, each with the signature that makes it comparable."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from nmt_lstm.errors import ConfigurationError, DataError, nearest
from nmt_lstm.extras import install_command

__all__ = [
    "METRICS",
    "TOKENIZERS",
    "Score",
    "build_metric",
    "check_metrics",
    "check_tokenizer",
    "chosen_tokenizer",
    "corpus_scores",
    "tokenizer_for",
    "without_advice",
]

METRICS = ("bleu", "chrf", "chrf++", "ter")
TOKENIZERS = ("13a", "char", "intl", "ja-mecab", "ko-mecab", "none", "zh")
UNSPACED = ("char", "ja-mecab", "zh")
_WITH_DICTIONARY = ("ja-mecab", "ko-mecab")


@dataclass(frozen=True)
class Score:
    """One corpus score."""

    name: str
    """As sacreBLEU names it: "BLEU", "chrF2", "chrF2++", "TER"."""
    value: float
    """In percent. Higher is better, except for TER."""
    signature: str
    """How it was computed; scores with different signatures cannot be compared."""

    def __str__(self) -> str:
        return f"{self.name} {self.value:.2f}  {self.signature}"


def corpus_scores(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    more_references: Sequence[Sequence[str]] = (),
    metrics: Sequence[str] = ("bleu", "chrf", "ter"),
    tokenize: str = "13a",
) -> list[Score]:
    """Score translations against one or more references, exactly as the ``sacrebleu`` command does.

    Args:
        hypotheses: the translations, as plain text.
        references: the (first) reference of each translation.
        more_references: further references, each with as many lines.
        metrics: names from `METRICS`, in the order of the result.
        tokenize: sacreBLEU's tokenizer for BLEU ("13a", "char", "ja-mecab" ...); see `tokenizer_for`.

    Raises:
        DataError: the numbers of lines differ or are 0.
        ConfigurationError: unknown metric or tokenizer, or one whose dictionary is not installed.
    """
    check_metrics(metrics)
    check_tokenizer(tokenize)
    all_references = [references, *more_references]
    different = next((len(lines) for lines in all_references if len(lines) != len(hypotheses)), None)
    if different is not None:
        raise DataError(
            f"{len(hypotheses)} translations but {different} references; "
            f"give one reference line for each translation."
        )
    if not hypotheses:
        raise DataError("there are no lines to score (0 translations, 0 references); give at least one.")
    # The sacrebleu command strips line ends and trailing spaces from both sides.
    system = [line.rstrip() for line in hypotheses]
    stripped = [[line.rstrip() for line in lines] for lines in all_references]
    with without_advice():
        return [_score(metric, system, stripped, tokenize) for metric in metrics]


def check_metrics(names: Sequence[str]) -> None:
    """Raise ConfigurationError if one of the names is not in `METRICS`."""
    for name in names:
        if name not in METRICS:
            raise ConfigurationError(
                f"unknown metric '{name}'.{nearest(name, METRICS)} Known: {', '.join(METRICS)}.", value=name
            )


def build_metric(
    name: str, *, tokenize: str = "13a", references: Sequence[Sequence[str]] | None = None
) -> BLEU | CHRF | TER:
    """Return sacreBLEU's metric `name` with the defaults of its command.

    Args:
        name: one of `METRICS`.
        tokenize: tokenizer of BLEU. If it is one for Chinese or Japanese, TER counts characters (sacreBLEU's
            ``--ter-asian-support --ter-normalized``) instead of words, since a whole line without spaces would be one word.
        references: if given, they are prepared once for any number of outputs.
    """
    if name == "bleu":
        return BLEU(tokenize=tokenize, force=True, references=references)
    if name == "ter":
        by_character = tokenize in UNSPACED
        return TER(normalized=by_character, asian_support=by_character, references=references)
    return CHRF(word_order=2 if name == "chrf++" else 0, references=references)


def check_tokenizer(name: str) -> None:
    """Raise ConfigurationError if sacreBLEU has no tokenizer `name` or its dictionary is not installed."""
    if name not in TOKENIZERS:
        raise ConfigurationError(
            f"unknown tokenizer '{name}'.{nearest(name, TOKENIZERS)} Known: {', '.join(TOKENIZERS)}.",
            value=name,
        )
    if name in _WITH_DICTIONARY:
        try:
            with without_advice():
                BLEU(tokenize=name)
        except (RuntimeError, ImportError) as problem:
            command = install_command("ja") if name == "ja-mecab" else "pip install 'sacrebleu[ko]'"
            raise ConfigurationError(
                f"the tokenizer '{name}' needs a dictionary that is not installed; install it with {command}, or use 'char'.",
                value=name,
            ) from problem


def chosen_tokenizer(tokenize: str, language: str) -> str:
    """Return the tokenizer that a setting names; for "auto", the customary one of the target language.

    Raises:
        ConfigurationError: sacreBLEU has no such tokenizer, or its dictionary is not installed.
    """
    if tokenize == "auto":
        return tokenizer_for(language)
    check_tokenizer(tokenize)
    return tokenize


def tokenizer_for(language: str) -> str:
    """Return the customary tokenizer of BLEU for a target language.

    For Japanese this is "ja-mecab" if its dictionary is installed, otherwise "char".

    Args:
        language: a code such as "de", "zh-CN" or "pt_BR"; empty if unknown.
    """
    primary = language.lower().replace("_", "-").partition("-")[0]
    if primary == "zh":
        return "zh"
    mecab = {"ja": "ja-mecab", "ko": "ko-mecab"}.get(primary)
    if mecab is not None:
        try:
            check_tokenizer(mecab)
        except ConfigurationError:
            return "char"
        return mecab
    return "char" if primary in ("th", "lo", "km", "my") else "13a"


def _score(metric: str, system: list[str], references: list[list[str]], tokenize: str) -> Score:
    scorer = build_metric(metric, tokenize=tokenize)
    score = scorer.corpus_score(system, references)
    return Score(score.name, float(score.score), str(scorer.get_signature()))


@contextmanager
def without_advice() -> Iterator[None]:
    """Suppress the advice that sacreBLEU logs for users of its own command."""
    logger = logging.getLogger("sacrebleu")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
