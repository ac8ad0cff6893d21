"""Samples repeat for a seed in every process, decode to the text, and have the right probabilities."""

from __future__ import annotations

import itertools
import math
import os
import random
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.text.subword_sampling import sentence_seed
from nmt_lstm.text.subwords import Vocabulary, train_subwords

WORDS = ["kamitoru", "sendalo", "wibane", "toruka", "misenda", "lowika", "banetoru", "kasendami"]


def made_up_lines(count: int) -> list[str]:
    """Lines of the words above."""
    draw = random.Random(3)
    return [" ".join(draw.choices(WORDS, k=draw.randint(2, 8))) + " ." for _ in range(count)]


def learnt(kind: str) -> Vocabulary:
    """A vocabulary learnt from such lines."""
    lines = made_up_lines(200)
    options = SubwordSettings(kind=kind, vocabulary_size=310)
    return train_subwords(lambda: list(zip(lines, lines, strict=True)), options, len(lines), seed=1).source


@pytest.fixture(scope="module")
def vocabularies() -> dict[str, Vocabulary]:
    """A vocabulary of each kind."""
    return {kind: learnt(kind) for kind in ("unigram", "bpe")}


kinds = pytest.mark.parametrize("kind", ["unigram", "bpe"])


def samples(vocabulary: Vocabulary, kind: str, lines: list[str], alpha: float, seed: int) -> list[list[int]]:
    """The sampled ids of each line."""
    sample = vocabulary.sampler(kind, alpha)
    return [sample(line, sentence_seed(seed, number)) for number, line in enumerate(lines)]


@kinds
def test_samples_repeat_for_a_seed_and_decode_to_the_text(vocabularies, kind) -> None:
    vocabulary = vocabularies[kind]
    lines = [*made_up_lines(40), "", "日本 😀", "x\u2028y \u2581 z"]
    first = samples(vocabulary, kind, lines, 0.1, seed=7)
    assert samples(vocabulary, kind, lines, 0.1, seed=7) == first
    assert samples(vocabulary, kind, lines, 0.1, seed=8) != first != vocabulary.encode_lines(lines)
    expected = [vocabulary.decode(pieces) for pieces in vocabulary.encode_lines(lines)]
    assert [vocabulary.decode(pieces) for pieces in first] == expected


SCRIPT = """
import sys
from pathlib import Path
from nmt_lstm.text.subword_sampling import sentence_seed
from nmt_lstm.text.subwords import Vocabulary

vocabulary = Vocabulary.load(Path(sys.argv[1]))
sample = vocabulary.sampler(sys.argv[2], 0.2)
for number, line in enumerate(Path(sys.argv[3]).read_text("utf-8").splitlines()):
    print(sample(line, sentence_seed(5, 1, number)))
"""


@kinds
def test_samples_are_the_same_in_every_process(vocabularies, kind, tmp_path) -> None:
    vocabularies[kind].save(tmp_path / "model")
    (tmp_path / "lines").write_text("\n".join(made_up_lines(60)), encoding="utf-8")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "model"), kind, str(tmp_path / "lines")]
    # Different hash seeds, so that the order of a set cannot matter.
    answers = {
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1")
    }
    assert len(answers) == 1
    sample = vocabularies[kind].sampler(kind, 0.2)
    expected = [sample(line, sentence_seed(5, 1, number)) for number, line in enumerate(made_up_lines(60))]
    assert answers == {"".join(f"{pieces}\n" for pieces in expected)}


TRAIN = """
import sys
from pathlib import Path
from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.text.subwords import train_subwords

lines = Path(sys.argv[1]).read_text("utf-8").splitlines()
for kind in ("unigram", "bpe"):
    options = SubwordSettings(kind=kind, vocabulary_size=310)
    subwords = train_subwords(lambda: list(zip(lines, lines, strict=True)), options, len(lines), seed=1)
    print(subwords.source.fingerprint)
"""


def test_vocabularies_are_the_same_in_every_process(vocabularies, tmp_path) -> None:
    (tmp_path / "lines").write_text("\n".join(made_up_lines(200)), encoding="utf-8")
    command = [sys.executable, "-c", TRAIN, str(tmp_path / "lines")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.split() == [vocabularies[kind].fingerprint for kind in ("unigram", "bpe")]


@kinds
def test_samples_differ_between_sentences(vocabularies, kind) -> None:
    lines = samples(vocabularies[kind], kind, [made_up_lines(1)[0]] * 20, 0.1, seed=1)
    assert len({tuple(pieces) for pieces in lines}) > 5


def test_seeds_of_different_numbers_differ() -> None:
    numbers = itertools.product((0, 1, 2**32 - 1), (0, 1, 7), (0, 3), (0, 1))
    seeds = [sentence_seed(*combination) for combination in numbers]
    assert len(set(seeds)) == len(seeds) == 36


def segmentations(vocabulary: Vocabulary, word: str) -> dict[tuple[int, ...], float]:
    """All segmentations of a word, each with the sum of the scores of its pieces."""
    processor = vocabulary._processor
    known = {processor.id_to_piece(piece): piece for piece in range(260, vocabulary.size)}
    scores = {}
    for cuts in itertools.product((False, True), repeat=len(word) - 1):
        ends = [index + 1 for index, cut in enumerate(cuts) if cut] + [len(word)]
        parts = [word[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        if all(part in known for part in parts):
            pieces = tuple(known[part] for part in parts)
            scores[pieces] = sum(processor.get_score(piece) for piece in pieces)
    return scores


@pytest.mark.parametrize("alpha", [0.1, 0.5])
def test_unigram_samples_follow_the_probabilities_of_segmentations(vocabularies, alpha) -> None:
    vocabulary, count = vocabularies["unigram"], 8_000
    scores = segmentations(vocabulary, "\u2581toruka")
    assert len(scores) > 3
    weights = {pieces: math.exp(alpha * score) for pieces, score in scores.items()}
    sample = vocabulary.sampler("unigram", alpha)
    counts = Counter(tuple(sample("toruka", seed)) for seed in range(count))
    assert set(counts) <= set(scores)
    for pieces, weight in weights.items():
        share = weight / sum(weights.values())
        deviation = math.sqrt(share * (1 - share) / count)
        assert abs(counts[pieces] / count - share) < 5 * deviation + 1e-9


def test_bpe_skips_merges_with_the_given_probability(vocabularies) -> None:
    vocabulary = vocabularies["bpe"]
    line = made_up_lines(1)[0]
    assert all(vocabulary.sampler("bpe", 1e-9)(line, seed) == vocabulary.encode(line) for seed in range(20))
    characters = vocabulary.sampler("bpe", 1.0)(line, 1)
    assert vocabulary.pieces(characters) == list("\u2581" + line.replace(" ", "\u2581"))
    # A word of two characters, whose only merge is skipped with probability alpha.
    pair = next(
        piece
        for piece in vocabulary.pieces(range(260, vocabulary.size))
        if len(piece) == 2 and piece[0] == "\u2581" and len(vocabulary.encode(piece[1])) == 1
    )
    sample = vocabulary.sampler("bpe", 0.3)
    merged = sum(len(sample(pair[1], seed)) == 1 for seed in range(4_000)) / 4_000
    assert abs(merged - 0.7) < 5 * math.sqrt(0.21 / 4_000)


@kinds
@settings(max_examples=100, deadline=None)
@given(line=st.text(st.characters(exclude_categories=["Cs"]), max_size=30), seed=st.integers(0, 2**64))
def test_any_text_survives_sampling(vocabularies, kind, line, seed) -> None:
    vocabulary = vocabularies[kind]
    pieces = vocabulary.sampler(kind, 0.3)(line, seed)
    assert vocabulary.decode(pieces) == vocabulary.decode(vocabulary.encode(line))
    assert all(0 <= piece < vocabulary.size for piece in pieces)


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_very_long_word_is_sampled(vocabularies, kind) -> None:
    word = "kamitoru" * 2_000
    vocabulary = vocabularies[kind]
    assert vocabulary.decode(vocabulary.sampler(kind, 0.2)(word, 1)) == word
