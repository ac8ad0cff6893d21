"""A vocabulary is learnt from a limited part of a text, which repeats."""

from __future__ import annotations

import random

import numpy as np
import pytest

from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.text import subwords, vocabulary_sample
from nmt_lstm.text.subwords import train_subwords
from nmt_lstm.text.text_form import TextForm
from nmt_lstm.text.vocabulary_sample import sample, sample_share


@pytest.fixture
def pairs() -> list[tuple[str, str]]:
    """300 pairs of made-up words."""
    draw = random.Random(1)
    words = ["".join(draw.choices(("ka", "mi", "to", "ru", "sen"), k=3)) for _ in range(80)]
    lines = [" ".join(draw.choices(words, k=draw.randint(2, 9))) for _ in range(600)]
    return list(zip(lines[::2], lines[1::2], strict=True))


def test_a_large_text_is_sampled_repeatably(pairs, monkeypatch) -> None:
    def learnt(seed: int) -> str:
        settings = SubwordSettings(vocabulary_size=330)
        return train_subwords(lambda: pairs, settings, 300, seed).source.fingerprint

    complete = learnt(1)
    monkeypatch.setattr(vocabulary_sample, "MAX_SAMPLE_LINES", 200)
    lines = [source for source, _ in pairs] * 4
    sampled = list(sample(iter(lines), sample_share("bpe", 1_200, 0), 5, TextForm()))
    assert 150 < len(sampled) < 250
    generator = np.random.default_rng(5)
    assert sampled == [line for line in lines if generator.random() < 200 / 1_200]
    assert learnt(1) == learnt(1)
    assert len({complete, learnt(1), learnt(2)}) == 3


def test_the_share_depends_on_lines_and_on_characters() -> None:
    """The memory for learning grows with characters, most of all for the kind "unigram"."""
    assert sample_share("unigram", 1_000, 10_000) > 1
    assert sample_share("unigram", 4_000_000, 60_000_000) == pytest.approx(0.25)
    assert sample_share("unigram", 100_000, 320_000_000) == pytest.approx(0.1)
    assert sample_share("bpe", 100_000, 320_000_000) == pytest.approx(0.4)


def test_each_vocabulary_is_learnt_from_a_limited_number_of_characters(pairs, monkeypatch) -> None:
    monkeypatch.setitem(vocabulary_sample.MAX_SAMPLE_CHARACTERS, "unigram", 1_000)
    sizes = []
    train_once = subwords._train_once

    def counted(lines, *arguments):
        texts = list(lines)
        sizes.append(sum(map(len, texts)))
        return train_once(iter(texts), *arguments)

    monkeypatch.setattr(subwords, "_train_once", counted)
    source, target = (sum(map(len, side)) for side in zip(*pairs, strict=True))
    settings = SubwordSettings(kind="unigram", joint=False, vocabulary_size=290)
    train_subwords(lambda: pairs, settings, 300, 1, characters=(source, target))
    assert len(sizes) == 2
    assert all(700 < size < 1_300 for size in sizes)
