"""Language models for people: texts after prompts, the same at any batch size, next pieces and words, scores."""

from __future__ import annotations

import math

import pytest

from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError, NotTextError, WrongTaskError
from nmt_lstm.inference.text_model import LanguageModel
from nmt_lstm.inference.translator import Translator

PROMPTS = ["one two", "", "three", "one two three four five six seven", "nine"]


@pytest.fixture(scope="module")
def model(language_model_folder):
    return LanguageModel.load(language_model_folder, device="cpu")


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "sampling"},
        {"method": "sampling", "top_k": 5, "temperature": 0.7, "seed": 3},
        {"method": "sampling", "top_p": 0.8, "no_repeat_ngram": 2},
        {"method": "beam", "beam_size": 3},
    ],
)
def test_texts_do_not_depend_on_the_batch(model, settings):
    search = SearchSettings(max_pieces=8, **settings)
    expected = list(model.generate(PROMPTS, n=2, search=search, batch_size=1))
    assert list(model.generate(PROMPTS, n=2, search=search, batch_size=8)) == expected
    # Prompts have numbers, so that a part of a file can be written separately.
    assert list(model.generate(PROMPTS[2:], n=2, search=search, first_line=3)) == expected[2:]
    for prompt, texts in zip(PROMPTS, expected, strict=True):
        assert len(texts) == 2
        assert texts[0].score >= texts[1].score
        for text in texts:
            assert text.text.startswith(prompt)
            assert text.is_complete == (len(text.pieces) < text.prompt_pieces + 8)


def test_the_seed_decides(model):
    def texts(seed):
        search = SearchSettings(method="sampling", max_pieces=8, seed=seed)
        return [text for (text,) in model.generate(PROMPTS, search=search)]

    assert texts(1) == texts(1) != texts(2)


def test_a_text_has_the_probability_that_it_is_scored_with(model):
    for ((text,),) in [
        list(model.generate([prompt], search=SearchSettings(max_pieces=6))) for prompt in PROMPTS
    ]:
        (scored,) = model.score([text.text])
        if scored.pieces[:-1] == text.pieces:  # the same text may be written in different pieces
            assert scored.log_probability == pytest.approx(text.log_probability, abs=1e-3)


def test_scores_add_up_and_do_not_depend_on_the_batch(model):
    scored = model.score(PROMPTS, batch_size=1)
    assert model.score(PROMPTS, batch_size=8) == scored
    for each in scored:
        assert len(each.pieces) == len(each.piece_log_probabilities)
        assert sum(each.piece_log_probabilities) == pytest.approx(each.log_probability)
    likelihood = model.likelihood(PROMPTS)
    assert likelihood.lines == 4  # the blank line is left out
    assert likelihood.log_probability == pytest.approx(
        sum(each.log_probability for each in scored if each.text)
    )


def test_what_follows_has_the_probabilities_of_scores(model):
    pieces = model.next_pieces("one two", n=1_000)
    assert 0.9 < sum(piece.probability for piece in pieces) <= 1.0  # special pieces are never written
    assert [piece.probability for piece in pieces] == sorted(
        (piece.probability for piece in pieces), reverse=True
    )
    end = next(piece.probability for piece in pieces if piece.text == "</s>")
    (scored,) = model.score(["one two"])
    assert math.log(end) == pytest.approx(scored.piece_log_probabilities[-1], abs=1e-4)
    words = model.next_words("one two", n=5)
    assert len(words) == 5
    # A piece that is the byte of a space may be a word of a model with random weights; no space separates two words.
    assert all(" " not in word.text.strip() for word in words)


def test_models_of_other_tasks_and_wrong_arguments_are_refused(
    model, language_model_folder, random_model_folder
):
    with pytest.raises(WrongTaskError, match="translate") as caught:
        LanguageModel.load(random_model_folder)
    assert caught.value.task == "translation"
    with pytest.raises(WrongTaskError, match="generate"):
        Translator.load(language_model_folder)
    with pytest.raises(ConfigurationError, match="prompts"):
        model.generate("one")
    with pytest.raises(ConfigurationError, match="n is 0"):
        model.next_pieces("one", n=0)
    with pytest.raises(NotTextError):
        model.score([None])


def test_it_describes_itself(model):
    assert "lstm" in repr(model)
