"""Tags in front of lines: alone, in batches, unknown ones, and what is reported about them."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm import TranslationRequest, Translator
from nmt_lstm.checkpoint.model_folder import write
from nmt_lstm.config.load import make_run
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.inference.requests import tagged
from nmt_lstm.model.build import build_model
from nmt_lstm.text.subwords import train_subwords
from nmt_lstm.text.tags import with_tags

TEXT = [("one dog runs", "ein Hund läuft"), ("two cats sleep here", "zwei Katzen schlafen hier")] * 10
LINES = ["one dog", "two cats sleep", "", "dog dog cats runs here"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model with random weights and two tags."""
    pair = {"source": "text.en", "target": "text.de"}
    run = make_run(
        {
            "data": {"corpora": [{**pair, "tag": "<1>"}, {**pair, "tag": "<2>"}]},
            "subwords": {"vocabulary_size": 300},
            "model": {"embedding_size": 16, "encoder": {"hidden_size": 16}, "decoder": {"hidden_size": 16}},
        }
    )
    subwords = train_subwords(lambda: TEXT, with_tags(run.subwords, run.data.tags()), len(TEXT), 1)
    torch.manual_seed(0)
    model = build_model(run.model, subwords.source.size, subwords.target.size)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
    path = tmp_path_factory.mktemp("tagged") / "model"
    write(path, run=run, subwords=subwords, model_state=model.state_dict(), metrics={})
    return path


@pytest.fixture(scope="module")
def translator(folder):
    return Translator.load(folder, device="cpu")


def test_tags_change_translations_and_not_the_pieces_of_the_line(translator) -> None:
    plain, one, two = (
        translator.translate(tagged(LINES, tag), n_best=2, attention=True) for tag in ("", "<1>", "<2>")
    )
    assert tagged(LINES, "") is LINES
    assert [each.source_pieces for each in one] == [each.source_pieces for each in plain]
    assert [each.source for each in one] == LINES
    assert one[2].text == ""
    assert len({tuple(each.score for each in run) for run in (plain, one, two)}) == 3
    for translation in (one[0], one[3]):
        pieces = len(translation.source_pieces)
        assert translation.attention.shape[1] == pieces + 1
        assert all(source < pieces for source, _ in translation.alignment)
        # What is missing of the attention goes to the tag.
        assert (translation.attention.sum(1) < 1.0).all()


@pytest.mark.parametrize("method", ["beam", "sampling"])
def test_lines_with_different_tags_do_not_depend_on_the_batch(translator, method) -> None:
    search = translator.run.search.model_copy(update={"method": method})
    requests = [TranslationRequest(line, tag=tag) for line in LINES for tag in ("<1>", "<2>", "")]
    together = translator.translate(requests, search=search, n_best=2)
    assert translator.translate(requests, search=search, n_best=2, batch_size=1) == together


def test_an_unknown_tag_is_reported_for_its_line_and_loses_nothing(translator, caplog) -> None:
    requests = [TranslationRequest(LINES[0], tag="<1>"), TranslationRequest(LINES[1], tag="<3>")]
    first, second = translator.translate(requests)
    assert (first.unmet, second.unmet) == ((), (("tag", "<3>"),))
    assert second.text == translator.translate([LINES[1]])[0].text
    assert "line 2: the translation does not meet tag '<3>'" in caplog.text


def test_lines_without_a_tag_are_warned_of_once(translator, caplog) -> None:
    translator.translate(LINES)
    assert [record.getMessage() for record in caplog.records if "--tag" in record.getMessage()] == [
        "line 1: this model was trained with a tag in front of every line; choose one with --tag: <1>, <2>."
    ]
    caplog.clear()
    translator.translate(["<1> one dog", *tagged(LINES[1:], "<2>")])
    assert "--tag" not in caplog.text


def test_scores_are_those_of_tagged_lines(translator) -> None:
    target = "ein Hund"
    scores = [
        translator.score(tagged([LINES[0]], tag), [target])[0].log_probability for tag in ("", "<1>", "<2>")
    ]
    assert len(set(scores)) == 3


def test_a_list_of_lines_is_checked_before_it_is_translated(folder) -> None:
    from nmt_lstm.cli.early_checks import check_tag

    check_tag([folder], "")
    check_tag([folder], "<2>")
    with pytest.raises(ConfigurationError, match="<1>, <2>") as caught:
        check_tag([folder], "<3>")
    assert caught.value.value == "<3>"
