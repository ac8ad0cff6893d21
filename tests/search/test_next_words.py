"""The next word: its probability is that of all its pieces and of its end, and the likeliest words come first."""

from __future__ import annotations

import itertools

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.model.build import build_language_model
from nmt_lstm.search.avoided import PieceTexts
from nmt_lstm.search.forced import forced_log_probabilities
from nmt_lstm.search.next_words import next_piece_probabilities, next_words
from nmt_lstm.text.special_pieces import END

# Two beginnings of words, two continuations, and a full stop.
TEXTS = ["", "", "", "", " a", " b", "c", "d", "."]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    settings = ModelSettings.model_validate({"embedding_size": 6, "decoder": {"hidden_size": 8}})
    model = build_language_model(settings, len(TEXTS), len(TEXTS)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.7)
    return model


def probability(model, prompt, word):
    """Sum over the pieces that end the word, computed independently."""
    ends = [END, 4, 5, 8, 0, 1, 2]
    before = next_piece_probabilities(model, prompt, CPU)
    total = 0.0
    for number, piece in enumerate(word):
        before = next_piece_probabilities(model, [*prompt, *word[:number]], CPU)
        total += float(before[piece])
    after = next_piece_probabilities(model, [*prompt, *word], CPU)
    return total + float(after[ends].logsumexp(0))


@pytest.mark.parametrize("prompt", [[4], [5, 6, 8]])
def test_words_of_several_pieces_are_found_in_their_order(model, prompt):
    words = next_words(model, prompt, PieceTexts(TEXTS), count=12, device=CPU)
    opening, inner = [4, 5, 8], [6, 7]
    possible = [
        (first, *rest)
        for first in opening
        for length in range(5)
        for rest in itertools.product(inner, repeat=length)
    ]
    expected = {word: probability(model, prompt, word) for word in possible}
    expected[(END,)] = float(next_piece_probabilities(model, prompt, CPU)[END])
    best = sorted(expected, key=lambda word: -expected[word])[:12]
    assert [word.pieces for word in words] == best
    for word in words:
        assert word.log_probability == pytest.approx(expected[word.pieces], abs=1e-5)


def test_a_list_may_be_longer_than_the_beginnings_that_are_continued_by_default(model, monkeypatch):
    long = next_words(model, [4], PieceTexts(TEXTS), count=12, device=CPU)
    monkeypatch.setattr("nmt_lstm.search.next_words.ROWS", 1)
    assert [word.pieces for word in next_words(model, [4], PieceTexts(TEXTS), count=12, device=CPU)] == [
        word.pieces for word in long
    ]


def test_without_a_prompt_any_piece_begins_a_word(model):
    words = next_words(model, [], PieceTexts(TEXTS), count=30, device=CPU)
    assert {word.pieces[0] for word in words} >= {4, 5, 6, 7, 8}


def test_probabilities_of_pieces_are_those_of_forced_decoding(model):
    (scores,) = forced_log_probabilities(model, source_batch([[]]), [[4, 6]])
    before = next_piece_probabilities(model, [4], CPU)
    assert float(before[6]) == pytest.approx(scores[1], abs=1e-5)
    assert float(before.exp().sum()) == pytest.approx(1.0)


def test_a_space_of_its_own_is_not_a_word(model):
    spaced = PieceTexts([*TEXTS[:4], " ", *TEXTS[5:]])
    assert (4,) not in [word.pieces for word in next_words(model, [5], spaced, count=30, device=CPU)]


def test_a_space_of_its_own_is_followed_by_any_piece(model):
    """A vocabulary of a script without spaces writes the space before the first character."""
    spaceless = PieceTexts(["", "", "", "", " ", "犬", "猫", "は", "."])
    words = next_words(model, [], spaceless, count=30, device=CPU)
    assert (4, 5) in [word.pieces for word in words]
    assert (4,) not in [word.pieces for word in words]
