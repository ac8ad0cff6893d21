"""Models of each format version still load and translate as recorded."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from nmt_lstm.checkpoint import model_folder
from nmt_lstm.checkpoint.manifest import FORMAT_VERSION, Manifest
from nmt_lstm.inference.translation import Translation
from nmt_lstm.inference.translator import Translator

HERE = Path(__file__).resolve().parent
RECORDS = sorted(HERE.glob("*/*.json"))
every_golden = pytest.mark.parametrize("record", RECORDS, ids=lambda path: f"{path.parent.name}-{path.stem}")


@pytest.fixture(scope="module")
def translate() -> Any:
    """Return a function that translates the lines of a record with its model."""

    def translate(record: Path, **options: Any) -> list[Translation]:
        lines = json.loads(record.read_text(encoding="utf-8"))
        translator = Translator.load(record.with_suffix(""), device="cpu", precision="float32")
        return translator.translate([line["source"] for line in lines], beam_size=4, n_best=2, **options)

    return translate


def test_each_format_version_has_models() -> None:
    versions = {int(record.parent.name) for record in RECORDS}
    assert versions == set(range(1, FORMAT_VERSION + 1))
    for record in RECORDS:
        assert Manifest.read(record.with_suffix("")).format_version == int(record.parent.name)


def test_the_golden_models_are_small() -> None:
    assert sum(path.stat().st_size for path in HERE.rglob("*") if path.is_file()) < 600 * 1024


@every_golden
def test_a_model_translates_as_recorded(translate: Any, record: Path) -> None:
    lines = json.loads(record.read_text(encoding="utf-8"))
    for translation, line in zip(translate(record), lines, strict=True):
        assert translation.source == line["source"]
        assert len(translation.hypotheses) == len(line["hypotheses"])
        for hypothesis, expected in zip(translation.hypotheses, line["hypotheses"], strict=True):
            assert hypothesis.text == expected["text"]
            assert " ".join(hypothesis.pieces) == expected["pieces"]
            alignment = " ".join(f"{source}-{target}" for source, target in hypothesis.alignment)
            assert alignment == expected["alignment"]
            assert hypothesis.score == pytest.approx(expected["score"], abs=1e-4)
            assert hypothesis.log_probability == pytest.approx(expected["log_probability"], abs=1e-3)


@every_golden
def test_single_lines_have_the_same_translations(translate: Any, record: Path) -> None:
    assert translate(record, batch_size=1) == translate(record)


@every_golden
def test_the_model_has_learnt_to_translate(translate: Any, record: Path) -> None:
    """Translations of an untrained model would not prove that all weights are loaded."""
    first = translate(record)[0]
    assert first.source == "drei Äpfel und zwei Birnen"
    # The plain RNN has learnt the numbers and the order, but not the nouns.
    assert re.fullmatch(r"two [a-z]+ and three [a-z]+", first.text)


@every_golden
def test_earlier_models_keep_invisible_characters(record: Path) -> None:
    """Their vocabularies contain them; they are normalised only if the run file says so."""
    folder = model_folder.read(record.with_suffix(""))
    assert not folder.run.subwords.normalise_invisible
    for vocabulary in (folder.subwords.source, folder.subwords.target):
        assert vocabulary.encode("a\u00a0b\u200b") != vocabulary.encode("a b")
