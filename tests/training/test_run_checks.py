"""What is checked before a run reads text."""

from __future__ import annotations

import pytest

from nmt_lstm.config.schema import ModelSettings, SearchSettings, TrainingSettings
from nmt_lstm.errors import ConfigurationError, NmtLstmError
from nmt_lstm.training.run_checks import check_run


def test_a_search_that_contradicts_itself_is_refused_before_training() -> None:
    with pytest.raises(ConfigurationError, match="sampling") as caught:
        check_run(
            TrainingSettings(),
            SearchSettings(top_k=10),
            task="translation",
            model=ModelSettings(),
            continues=False,
        )
    assert caught.value.key == "search.top_k"


@pytest.mark.parametrize(
    ("task", "model", "training", "word"),
    [
        ("translation", {"attention": {"name": "multi_head", "options": {"heads": 7}}}, {}, "heads = 7"),
        ("translation", {"decoder": {"output_size": 7}}, {}, "output_size"),
        ("translation", {"encoder": {"layers": 2}, "decoder": {"bridge": "copy"}}, {}, "bridge"),
        ("translation", {}, {"freeze": ["nothing.*"]}, "freeze"),
        ("language-model", {}, {"freeze": ["encoder.*"]}, "freeze"),
        (
            "classification",
            {"encoder": {"cell": "lstm", "cell_options": {"forget_bais": 1}}},
            {},
            "forget_bias",
        ),
        ("forecast", {"encoder": {"cell": "nope"}}, {}, "nope"),
    ],
)
def test_a_network_that_cannot_be_built_is_refused_before_text_is_read(task, model, training, word) -> None:
    small = {"embedding_size": 8}
    for part in ("encoder", "decoder"):
        small[part] = {"hidden_size": 8, **model.get(part, {})}
    with pytest.raises(NmtLstmError, match=word):
        check_run(
            TrainingSettings.model_validate(training),
            SearchSettings(),
            task=task,
            model=ModelSettings.model_validate({**model, **small}),
            continues=False,
        )
