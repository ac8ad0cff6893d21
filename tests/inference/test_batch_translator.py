"""Columns of batches are translated like lines, whatever the batches."""

from __future__ import annotations

import numpy as np
import pytest

from nmt_lstm import BatchTranslator, Translator
from nmt_lstm.errors import NotTextError

LINES = ["eins zwei .", "", "drei", "vier fünf sechs ."]


@pytest.fixture
def expected(random_model_folder) -> list[str]:
    return [translation.text for translation in Translator.load(random_model_folder).translate(LINES)]


def test_columns_of_any_kind_gain_one(random_model_folder, expected):
    translate = BatchTranslator(random_model_folder)
    arrays = {"text": np.array(LINES, dtype=object), "id": np.arange(4)}
    result = translate(arrays)
    assert [*result] == ["text", "id", "translation"]
    assert list(result["translation"]) == expected
    assert list(translate({"text": LINES})["translation"]) == expected


def test_results_do_not_depend_on_the_batches(random_model_folder, expected):
    translate = BatchTranslator(random_model_folder, column="de", output="en")
    parts = [translate({"de": LINES[:1]}), translate({"de": LINES[1:]})]
    assert [text for part in parts for text in part["en"]] == expected


def test_options_reach_the_search_and_missing_texts_are_empty(random_model_folder):
    translate = BatchTranslator(random_model_folder, options={"beam_size": 1})
    greedy = Translator.load(random_model_folder).translate(LINES[:1], beam_size=1)[0].text
    assert list(translate({"text": [LINES[0], None]})["translation"]) == [greedy, ""]


def test_numbers_are_no_text(random_model_folder):
    with pytest.raises(NotTextError):
        BatchTranslator(random_model_folder)({"text": [1.5]})
