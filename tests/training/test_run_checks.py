"""What is checked before a run reads text."""

from __future__ import annotations

import pytest

from nmt_lstm.config.schema import ModelSettings, SearchSettings, TrainingSettings
from nmt_lstm.errors import ConfigurationError
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
