"""The folder: which folders are accepted, what may be added, and what would make its runs incomparable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nmt_lstm.errors import ConfigurationError, DataError, ResourceError
from nmt_lstm.files.checksums import sha256_of
from nmt_lstm.lab.comparison.folder import ComparisonFolder, digest_of, write_result, write_text

IDENTITY = {"test text": "a" * 64, "plugin file": "none"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "report"


def test_a_new_folder_keeps_the_settings_of_each_run(folder, make_plan_of) -> None:
    files = ComparisonFolder(folder)
    files.begin(make_plan_of("gru", "lstm"), identity=IDENTITY)
    assert sorted(path.name for path in (folder / "records").iterdir()) == [
        "gru-1",
        "gru-2",
        "lstm-1",
        "lstm-2",
    ]
    assert "seed = 2" in files.files("gru-2").settings.read_text()
    assert files.files("gru-1").read_result() is None
    assert not list(folder.rglob(".*.[0-9]*"))


def test_the_same_comparison_can_be_resumed_and_extended(folder, make_plan_of) -> None:
    ComparisonFolder(folder).begin(make_plan_of("gru", "lstm"), identity=IDENTITY)
    ComparisonFolder(folder).begin(make_plan_of("gru", "lstm"), identity=IDENTITY)
    ComparisonFolder(folder).begin(make_plan_of("gru", "lstm", "rnn", seeds=(1, 2, 3)), identity=IDENTITY)
    state = json.loads((folder / "comparison.json").read_text())
    assert state["runs"][-1] == "rnn-3"
    ComparisonFolder(folder).begin(make_plan_of("gru", "rnn", seeds=(1,)), identity=IDENTITY)


def test_runs_with_different_settings_are_rejected(folder, make_plan_of, tiny_run) -> None:
    plan = make_plan_of("gru", "lstm")
    ComparisonFolder(folder).begin(plan, identity=IDENTITY)
    settings = ComparisonFolder(folder).files("lstm-2").settings
    settings.write_text(settings.read_text().replace("dropout = 0.2", "dropout = 0.4"))
    with pytest.raises(
        ConfigurationError,
        match="model.dropout was 0.4 and is 0.2",
    ):
        ComparisonFolder(folder).begin(plan, identity=IDENTITY)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"test text": "b" * 64}, "aaaaaaaaaaaa..., not bbb"),
        ({"plugin file": "c" * 64}, "none, not ccc"),
    ],
)
def test_incomparable_results_are_rejected(folder, make_plan_of, changed, message) -> None:
    ComparisonFolder(folder).begin(make_plan_of("gru", "lstm"), identity=IDENTITY)
    with pytest.raises(ConfigurationError, match=message) as caught:
        ComparisonFolder(folder).begin(make_plan_of("gru", "lstm"), identity=IDENTITY | changed)
    assert (caught.value.path, caught.value.key) == (folder, *changed)


def test_a_different_match_is_rejected(folder, make_plan_of) -> None:
    from nmt_lstm.lab.comparison.matching import Match

    ComparisonFolder(folder).begin(make_plan_of("gru", "lstm"), identity=IDENTITY)
    other = make_plan_of("gru", "lstm", match=Match(parameters=False, budget="updates"))
    with pytest.raises(ConfigurationError, match="match .parameters and updates"):
        ComparisonFolder(folder).begin(other, identity=IDENTITY)


def test_runs_trained_on_different_text_are_rejected(folder, make_plan_of, make_result) -> None:
    plan = make_plan_of("gru", "lstm")
    files = ComparisonFolder(folder)
    files.begin(plan, identity=IDENTITY)
    write_result(files.files("gru-1").training, make_result().training)
    files.begin(plan, identity=IDENTITY)
    write_result(files.files("gru-1").training, make_result(fingerprint="0" * 32).training)
    with pytest.raises(
        ConfigurationError,
        match="'gru-1' .* different text .0000",
    ):
        files.begin(plan, identity=IDENTITY)


def test_a_folder_that_cannot_be_created_is_a_resource_error(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ResourceError, match="file/report' .Not a directory."),
        ComparisonFolder(tmp_path / "file" / "report").alone(),
    ):
        pass


def test_opening_creates_nothing(folder) -> None:
    ComparisonFolder(folder)
    assert not folder.exists()


def test_a_folder_of_another_program_is_rejected(folder) -> None:
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")
    with pytest.raises(ConfigurationError, match=r"not a comparison \(thesis.tex\)"):
        ComparisonFolder(folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]


def test_a_file_is_rejected(folder) -> None:
    folder.write_text("")
    with pytest.raises(ConfigurationError, match="is a file"):
        ComparisonFolder(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "not written by nmt-lstm compare"),
        ('{"format": "other", "version": 1}', "not written by nmt-lstm compare"),
        (
            '{"format": "nmt-lstm comparison", "version": 99}',
            "newer nmt-lstm .format 99",
        ),
    ],
)
def test_a_foreign_state_file_is_rejected(folder, text, message) -> None:
    folder.mkdir()
    (folder / "comparison.json").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        ComparisonFolder(folder)


def test_a_folder_in_use_is_rejected(folder) -> None:
    with (
        ComparisonFolder(folder).alone(),
        pytest.raises(ResourceError, match="another nmt-lstm compare"),
        ComparisonFolder(folder).alone(),
    ):
        pass
    with ComparisonFolder(folder).alone():
        pass


def test_results_are_read_as_written(folder, make_result) -> None:
    files = ComparisonFolder(folder).files("gru-1")
    result = make_result()
    write_result(files.result, result)
    write_result(files.training, result.training)
    assert files.read_result() == result
    assert files.read_training() == result.training


def test_a_changed_state_file_is_rejected(folder, make_plan_of) -> None:
    ComparisonFolder(folder).begin(make_plan_of("gru", "lstm"), identity=IDENTITY)
    state = folder / "comparison.json"
    content = state.read_text()
    state.write_text(content.replace("aaaa", "aaab", 1))
    with pytest.raises(ConfigurationError, match=r"comparison.json' .*checksum"):
        ComparisonFolder(folder)
    # Earlier versions wrote none.
    state.write_text(
        json.dumps({key: value for key, value in json.loads(content).items() if key != "sha256"})
    )
    ComparisonFolder(folder).begin(make_plan_of("gru", "lstm"), identity=IDENTITY)


def test_translations_keep_their_lines(folder, make_result) -> None:
    files = ComparisonFolder(folder).files("gru-1")
    write_text(files.translations, "a\u2028b\n\n c\n")
    assert files.read_translations(make_result()) == ["a\u2028b", "", " c"]
    files.translations.unlink()
    with pytest.raises(DataError, match="translations.txt' cannot be read"):
        files.read_translations(make_result())


def test_changed_translations_are_rejected(folder, make_result) -> None:
    files = ComparisonFolder(folder).files("gru-1")
    write_text(files.translations, "a\nb\n")
    result = make_result().model_copy(update={"translations_sha256": sha256_of(files.translations)})
    assert files.read_translations(result) == ["a", "b"]
    write_text(files.translations, "a\nc\n")
    with pytest.raises(DataError, match=r"translations.txt' .*SHA-256"):
        files.read_translations(result)


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch) -> None:
    path = tmp_path / "report.md"
    write_text(path, "old\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ResourceError, match="report.md' .No space left"):
        write_text(path, "new\n")
    assert path.read_text() == "old\n"
    assert [each.name for each in tmp_path.iterdir()] == ["report.md"]


def test_the_digest_depends_on_content_and_order(tmp_path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    assert digest_of([tmp_path / "a"]) != digest_of([tmp_path / "b"])
    assert digest_of([tmp_path / "a", tmp_path / "b"]) != digest_of([tmp_path / "b", tmp_path / "a"])
    with pytest.raises(DataError, match="c' cannot be read: No such file"):
        digest_of([tmp_path / "c"])
