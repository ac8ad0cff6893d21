"""The schema rejects unknown, coerced and inconsistent values, and its tables are immutable."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from nmt_lstm.config.load import make_run
from nmt_lstm.config.schema import CleaningSettings, DataSettings, RunSettings, TrainingSettings
from nmt_lstm.errors import ConfigurationError

DATA = {"train_source": "a.de", "train_target": "a.en"}


@pytest.mark.parametrize(
    "values", [{"epochs": "3"}, {"epochs": 2.0}, {"clip_norm": float("inf")}, {"epohcs": 3}, {"epochs": 0}]
)
def test_invalid_values_are_rejected(values) -> None:
    with pytest.raises(ValidationError):
        TrainingSettings.model_validate(values)


def test_settings_are_immutable() -> None:
    with pytest.raises(ValidationError):
        CleaningSettings().max_pieces = 3  # type: ignore[misc]


def test_validation_text_is_needed_only_when_it_is_asked_for() -> None:
    data = DataSettings(train_source="a", train_target="b")
    with pytest.raises(ConfigurationError, match="valid_source"):
        data.validation_sets()
    update = {"valid_source": Path("c"), "valid_target": Path("d")}
    assert data.model_copy(update=update).validation_files() == (Path("c"), Path("d"))


@pytest.mark.parametrize(
    ("key", "missing"), [("valid_source", "valid_target"), ("valid_target", "valid_source")]
)
def test_one_side_of_the_validation_text_is_refused(key, missing):
    with pytest.raises(ConfigurationError, match=f"'data.{missing}' is missing"):
        make_run({"data": {"train_source": "a", "train_target": "b", key: "c"}})


@pytest.mark.parametrize("tied", ["none", "target", "all"])
def test_only_joint_vocabularies_allow_all_embeddings_to_be_tied(tied) -> None:
    values = {"data": DATA, "model": {"tied_embeddings": tied}, "subwords": {"joint": False}}
    if tied == "all":
        with pytest.raises(ValidationError, match="subwords.joint = true"):
            RunSettings.model_validate(values)
    else:
        assert RunSettings.model_validate(values).model.tied_embeddings == tied
