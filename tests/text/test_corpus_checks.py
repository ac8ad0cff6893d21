"""Signs that a text is not what it should be: each is named with its file, and sound text has none."""

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
def warned(tmp_path):
    """The warnings of the sound text with some sides replaced."""

    def warnings(**changed):
        paths = {}
        for name, lines in {**TEXT, **changed}.items():
            paths[name] = tmp_path / name
            paths[name].write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return corpus_warnings(DataSettings(**paths))

    return warnings


def test_sound_text_has_no_signs(warned) -> None:
    assert warned() == []


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize(
    ("change", "sign"),
    [
        (lambda line: line.replace("r", "r@@ "), "'@@'"),
        (lambda line: line.replace("e", "&apos;"), "'&apos;'"),
        (lambda line: line.replace(".", " ."), "blank before punctuation"),
        (lambda line: "▁" + line.replace(" ", " ▁"), "'▁'"),
    ],
)
def test_text_that_was_processed_is_named_with_its_file(warned, name, change, sign) -> None:
    (found,) = warned(**{name: [change(line) for line in TEXT[name]]})
    assert f"{name}'" in found
    assert sign in found


def test_french_blanks_before_question_marks_are_plain(warned) -> None:
    assert warned(train_target=[line.replace(".", " ?") for line in TEXT["train_target"]]) == []


@pytest.mark.parametrize("split", ["train", "valid"])
def test_the_same_file_on_both_sides(warned, split) -> None:
    found = warned(**{f"{split}_target": TEXT[f"{split}_source"]})
    assert any(f"{split}_source" in each and "the same" in each for each in found)


def test_one_file_as_both_sides_is_told_as_such_and_once(tmp_path) -> None:
    path = tmp_path / "text"
    path.write_text("".join(f"{line}\n" for line in TEXT["train_source"]), encoding="utf-8")
    data = DataSettings(train_source=path, train_target=path, valid_source=path, valid_target=path)
    found = [each for each in corpus_warnings(data) if "both sides" in each or "the two sides" in each]
    assert len(found) == 1
    assert "copy" in found[0]


def test_exchanged_sides_of_the_validation_text(warned) -> None:
    (found,) = warned(valid_source=TEXT["valid_target"], valid_target=TEXT["valid_source"])
    assert "exchanged" in found


def test_exchanged_sides_of_text_without_blanks(warned) -> None:
    japanese = ["犬が雪の中を走る。", "男が二人、話して笑う。", "子供は眠らない。"]
    train = japanese * 20
    assert warned(train_target=train, valid_target=japanese * 5) == []
    (found,) = warned(train_target=train, valid_source=japanese * 5, valid_target=TEXT["valid_source"])
    assert "exchanged" in found


def test_sides_in_one_language_are_not_taken_for_exchanged(warned) -> None:
    backwards = {
        f"{split}_target": [" ".join(reversed(line.split())) for line in TEXT[f"{split}_source"]]
        for split in ("train", "valid")
    }
    assert warned(**backwards) == []


def test_the_training_text_as_validation_text(warned) -> None:
    found = warned(valid_source=TEXT["train_source"], valid_target=TEXT["train_target"])
    assert any("not trained on" in each for each in found)


@pytest.mark.parametrize("name", ["valid_source", "valid_target"])
def test_blank_validation_text_is_refused(warned, name) -> None:
    with pytest.raises(DataError, match=f"{name}' holds only blank lines"):
        warned(**{name: ["", " "] * 10})


def test_lines_that_are_blank_on_one_side(warned) -> None:
    (found,) = warned(valid_target=["", *TEXT["valid_target"][1:]])
    assert "1 line is blank" in found
