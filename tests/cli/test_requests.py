"""Options by which lines ask for a beginning, for phrases, or for phrases to avoid."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt_lstm import TranslationRequest
from nmt_lstm.cli.requests import RequestOptions
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError, DataError

LINES = ["Ein Hund .", "Eine Katze .", "Zwei Hunde ."]


def file(tmp_path: Path, name: str, *lines: str) -> Path:
    path = tmp_path / name
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def no_tags(tag: str) -> None:
    raise ConfigurationError(
        f"the model has no tag '{tag}'. It was trained without tags.", key="tag", value=tag
    )


def test_without_options_lines_stay_lines() -> None:
    assert list(RequestOptions().requests(LINES)) == LINES


def test_options_add_up(tmp_path) -> None:
    options = RequestOptions(
        prefix="The",
        prefixes=file(tmp_path, "prefixes", "", "A cat", ""),
        constraints=file(
            tmp_path, "constraints", '{"require": ["small"], "avoid": ["cat"]}', "", '{"prefix": "Two dogs"}'
        ),
        terms=file(tmp_path, "terms", "Hund\tdog", "Katze\tcat"),
        avoid=file(tmp_path, "avoid", "horse"),
    )
    assert list(options.requests(LINES)) == [
        TranslationRequest(LINES[0], "The", ["small", "dog"], ["cat", "horse"]),
        TranslationRequest(LINES[1], "A cat", ["cat"], ["horse"]),
        TranslationRequest(LINES[2], "Two dogs", [], ["horse"]),
    ]


def test_a_line_may_have_a_tag_of_its_own(tmp_path) -> None:
    constraints = file(tmp_path, "constraints", '{"tag": "<2fr>"}', "", "{}")
    requests = list(RequestOptions(constraints=constraints, tag="<2de>").requests(LINES))
    assert [request.tag for request in requests] == ["<2fr>", "<2de>", "<2de>"]


@pytest.mark.parametrize("option", ["prefixes", "constraints"])
@pytest.mark.parametrize("count", [2, 4])
def test_a_file_of_a_different_length_is_reported_and_loses_nothing(tmp_path, caplog, option, count) -> None:
    options = RequestOptions(**{option: file(tmp_path, "beside", *[""] * count)})
    assert [request.text for request in options.requests(LINES)] == LINES
    (record,) = caplog.records
    assert "beside" in record.getMessage()


@pytest.mark.parametrize(
    "line",
    [
        "prefix",
        "[1]",
        '{"prefix": 1}',
        '{"require": "a"}',
        '{"avoid": [1]}',
        '{"forbid": ["a"]}',
        "[" * 100_000,
    ],
)
def test_a_constraint_that_is_none_is_named_by_its_line(tmp_path, line) -> None:
    options = RequestOptions(constraints=file(tmp_path, "constraints", "", line, ""))
    requests = options.requests(LINES)
    assert next(requests) == TranslationRequest(LINES[0], "", [], [])
    with pytest.raises(DataError, match="line 2") as refused:
        next(requests)
    assert refused.value.line == 2
    assert (refused.value.key or "") in line


def test_translate_reports_what_it_could_not_meet(command, tmp_path) -> None:
    terms = file(tmp_path, "terms.tsv", "dog\t猫", "man\tx")
    finished = command(
        "translate",
        "-m",
        "builtin:en-ja",
        "--terms",
        terms,
        "--prefix",
        "私",
        stdin=b"The dog is sleeping .\n",
    )
    assert (finished.status, finished.err) == (0, "")
    assert finished.lines[0].startswith("私")
    assert "猫" in finished.lines[0]
    missing = command("translate", "-m", "builtin:en-ja", "--terms", tmp_path / "none.tsv", stdin=b"a\n")
    assert missing.status == 1
    assert "none.tsv" in missing.err


@pytest.mark.parametrize(
    ("option", "line", "message"),
    [
        ("terms", "only one phrase", "'terms', line 1"),
        ("constraints", '{"forbid": ["a"]}', "'constraints', line 1: unknown key 'forbid'"),
        ("avoid", "\x00" * 40, "'avoid'"),
        ("prefixes", "\x00" * 40, "'prefixes'"),
    ],
)
def test_a_mistake_in_a_file_is_reported_before_a_model_is_loaded(
    command, tmp_path, translator, option, line, message
) -> None:
    file(tmp_path, option, line)
    finished = command("translate", "-m", "x", f"--{option}", option, stdin=b"a\n")
    assert message in finished.error
    assert translator.loaded == []


@pytest.mark.parametrize(
    ("option", "line"), [("terms", "Hund\tdog"), ("constraints", '{"require": ["dog"]}')]
)
def test_required_phrases_need_beam_search(tmp_path, option, line) -> None:
    options = RequestOptions(**{option: file(tmp_path, "requests", line)})
    options.check(SearchSettings(), no_tags)
    with pytest.raises(ConfigurationError, match="beam search") as caught:
        options.check(SearchSettings(method="sampling"), no_tags)
    assert caught.value.key == f"--{option}"


def test_prefixes_and_avoided_phrases_go_with_samples(tmp_path) -> None:
    constraints = file(tmp_path, "constraints", "", '{"prefix": "A", "avoid": ["b"]}')
    options = RequestOptions(constraints=constraints, avoid=file(tmp_path, "avoid", "c"))
    options.check(SearchSettings(method="sampling"), no_tags)


def test_a_tag_that_the_model_does_not_have_is_named_by_its_line(tmp_path) -> None:
    constraints = file(tmp_path, "constraints", "", '{"tag": "<2de>"}', '{"tag": "<2fr>"}')
    with pytest.raises(ConfigurationError, match="line 2.* trained without tags") as caught:
        RequestOptions(constraints=constraints).check(SearchSettings(), no_tags)
    assert (caught.value.key, caught.value.value) == ("--constraints", "<2de>")
    RequestOptions(constraints=constraints).check(SearchSettings(), lambda tag: None)


@pytest.mark.parametrize("line", ['{"prefix": "a', '{"a\\nb": 1}'])
def test_a_line_of_constraints_is_shown_without_its_end(tmp_path, line) -> None:
    constraints = tmp_path / "constraints"
    constraints.write_text(f"{line}\n")
    with pytest.raises(DataError) as caught:
        RequestOptions(constraints=constraints).check(SearchSettings(), no_tags)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("prefixes", "A\n"),
        ("constraints", '{"prefix": "A"}\n'),
        ("terms", "Hund\tdog\n"),
        ("avoid", "horse\n"),
    ],
)
def test_each_file_may_be_standard_input(command, tmp_path, translator, option, text) -> None:
    file(tmp_path, "in", LINES[0])
    arguments = ("translate", "-m", "x", "-i", "in", f"--{option}", "-")
    requests: list[TranslationRequest] = []
    translator.stream = lambda self, lines, **_: requests.extend(lines) or iter(())
    assert command(*arguments, stdin=text.encode()).status == 0
    assert requests == [
        TranslationRequest(
            LINES[0],
            "A" if option in ("prefixes", "constraints") else "",
            ["dog"] if option == "terms" else [],
            ["horse"] if option == "avoid" else [],
        )
    ]
    refused = command(*arguments, "--resume", "-o", "out", stdin=text.encode())
    assert (refused.status, f"--{option}" in refused.error) == (2, True)


def test_a_mistake_in_standard_input_is_reported_for_its_line(command, tmp_path, translator) -> None:
    file(tmp_path, "in", LINES[0])
    refused = command("translate", "-m", "x", "-i", "in", "--terms", "-", stdin=b"Hund dog\n")
    assert "'stdin', line 1" in refused.error
