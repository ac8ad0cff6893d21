"""The result of a validation does not depend on the order of batches, and metrics have a direction."""

from __future__ import annotations

import math
from typing import Any

import pytest

from nmt_lstm.text.preparation import prepare
from nmt_lstm.training.data_module import TranslationDataModule
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.validation import ValidationResult, is_better


def test_a_lower_loss_and_higher_scores_are_better() -> None:
    assert is_better("loss", 1.0, than=2.0)
    assert is_better("bleu", 2.0, than=1.0)
    assert not is_better("chrf", 1.0, than=1.0)


def test_the_result_does_not_depend_on_the_order_of_batches(make_small_run: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("nmt_lstm.training.data_module._VALIDATION_BATCH_SIZE", 8)
    run = make_small_run()
    prepared = prepare(run)
    module = TranslationModule.of_run(run, prepared, total_steps=1).eval()
    batches = TranslationDataModule.of_run(run, prepared).validation_batches()
    assert len(batches) > 2
    results = []
    for order in (batches, batches[::-1]):
        validation = module.new_validation()
        for batch in order:
            validation.add(batch)
        results.append(validation.result())
    assert results[0] == results[1]
    assert results[0].indices == list(range(len(prepared.valid_target)))


def test_the_perplexity_of_a_huge_loss_is_finite() -> None:
    result = ValidationResult(loss=1e6, lines=1, scores={})
    assert math.isfinite(result.perplexity)
    assert result.logged["valid_loss"] == pytest.approx(1e6)
