"""Signs of wrong text are reported with their files, and there are none in correct text."""

from __future__ import annotations

import pytest

from nmt_lstm.config.schema import DataSettings
from nmt_lstm.errors import DataError
from nmt_lstm.text.corpus_checks import corpus_warnings

GERMAN = ["Ein Hund rennt durch den Schnee.", "Zwei Männer reden und lachen.", "Das Kind schläft nicht."]
ENGLISH = ["A dog runs through the snow.", "Two men talk, and laugh.", "The child doesn't sleep."]
TEXT = {
    "train_source": [f"{line[:-1]} {number}." for number in range(20) for line in GERMAN],
    "train_target": [f"{line[:-1]} {number}." for number in range(20) for line in ENGLISH],
    "valid_source": [f"Gestern: {line}" for line in GERMAN] * 5,
    "valid_target": [f"Yesterday: {line}" for line in ENGLISH] * 5,
}


@pytest.fixture
def warnings_for(tmp_path):
    """A function that returns the warnings about the text above with some sides replaced."""

    def warnings(**changed):
        paths = {}
        for name, lines in {**TEXT, **changed}.items():
            paths[name] = tmp_path / name
            paths[name].write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return corpus_warnings(DataSettings(**paths))

    return warnings


def test_correct_text_has_no_warnings(warnings_for) -> None:
    assert warnings_for() == []


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize(
    ("change", "sign"),
    [
        (lambda line: line.replace("r", "r@@ "), "'@@'"),
        (lambda line: line.replace("e", "&apos;"), "'&apos;'"),
        (lambda line: line.replace(".", " ."), "space before punctuation"),
        (lambda line: "▁" + line.replace(" ", " ▁"), "'▁'"),
    ],
)
def test_preprocessed_text_is_reported_with_its_file(warnings_for, name, change, sign) -> None:
    (warning,) = warnings_for(**{name: [change(line) for line in TEXT[name]]})
    assert f"{name}'" in warning
    assert sign in warning


def test_french_spaces_before_question_marks_are_accepted(warnings_for) -> None:
    assert warnings_for(train_target=[line.replace(".", " ?") for line in TEXT["train_target"]]) == []


@pytest.mark.parametrize("split", ["train", "valid"])
def test_equal_sides_are_reported(warnings_for, split) -> None:
    warnings = warnings_for(**{f"{split}_target": TEXT[f"{split}_source"]})
    assert any(f"{split}_source" in warning and "the same" in warning for warning in warnings)


def test_one_file_as_both_sides_is_reported_once(tmp_path) -> None:
    path = tmp_path / "text"
    path.write_text("".join(f"{line}\n" for line in TEXT["train_source"]), encoding="utf-8")
    data = DataSettings(train_source=path, train_target=path, valid_source=path, valid_target=path)
    warnings = [text for text in corpus_warnings(data) if "both sides" in text or "two sides" in text]
    assert len(warnings) == 1
    assert "copy" in warnings[0]


def test_exchanged_sides_of_validation_text_are_reported(warnings_for) -> None:
    (warning,) = warnings_for(valid_source=TEXT["valid_target"], valid_target=TEXT["valid_source"])
    assert "exchanged" in warning


def test_exchanged_sides_of_text_without_spaces_are_reported(warnings_for) -> None:
    japanese = ["犬が雪の中を走る。", "男が二人、話して笑う。", "子供は眠らない。"]
    train = japanese * 20
    assert warnings_for(train_target=train, valid_target=japanese * 5) == []
    (warning,) = warnings_for(
        train_target=train, valid_source=japanese * 5, valid_target=TEXT["valid_source"]
    )
    assert "exchanged" in warning


def test_sides_in_one_language_are_not_taken_for_exchanged(warnings_for) -> None:
    backwards = {
        f"{split}_target": [" ".join(reversed(line.split())) for line in TEXT[f"{split}_source"]]
        for split in ("train", "valid")
    }
    assert warnings_for(**backwards) == []


def test_training_text_as_validation_text_is_reported(warnings_for) -> None:
    warnings = warnings_for(valid_source=TEXT["train_source"], valid_target=TEXT["train_target"])
    assert any("not trained on" in warning for warning in warnings)


@pytest.mark.parametrize("name", ["valid_source", "valid_target"])
def test_blank_validation_text_is_refused(warnings_for, name) -> None:
    with pytest.raises(DataError, match=f"{name}' holds only blank lines"):
        warnings_for(**{name: ["", " "] * 10})


def test_lines_that_are_blank_on_one_side_are_reported(warnings_for) -> None:
    (warning,) = warnings_for(valid_target=["", *TEXT["valid_target"][1:]])
    assert "1 line is blank" in warning


@pytest.mark.parametrize("targets", ["text", "labels"])
def test_paired_lines_that_are_not_translations_are_reported_with_their_files(
    tmp_path, repository, targets
) -> None:
    corpus = repository / "data" / "builtin_enja"
    sides = [
        (corpus / f"train.{side}").read_text(encoding="utf-8").splitlines()[:400] for side in ("en", "ja")
    ]
    paths = [tmp_path / "train.en", tmp_path / "train.ja"]
    for shift, reports in ((0, 0), (1, 1)):
        for path, lines in zip(paths, (sides[0][shift:], sides[1][: len(sides[1]) - shift]), strict=True):
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        train = {"train_source": paths[0], "train_target": paths[1]}
        valid = {"valid_source": tmp_path / "valid.en", "valid_target": tmp_path / "valid.ja"}
        for path, line in zip(valid.values(), ("A dog is sleeping.", "犬は眠い。"), strict=True):
            path.write_text(f"{line}\n", encoding="utf-8")
        data = DataSettings(**train, **valid, targets=targets)
        warnings = [each for each in corpus_warnings(data) if "translations" in each]
        assert len(warnings) == (reports if targets == "text" else 0)
        assert all("train.en'" in each and "train.ja'" in each for each in warnings)
