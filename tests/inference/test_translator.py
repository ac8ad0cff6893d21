"""The translator: the same translation in any batch, and one translation for any line."""

from __future__ import annotations

import itertools
import logging
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nmt_lstm.checkpoint.model_folder import read, write
from nmt_lstm.errors import ConfigurationError, NotTextError, ResourceError
from nmt_lstm.inference.translator import Translator
from nmt_lstm.search import sentence_batches

WORDS = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "."]
LINES = [
    " ".join(WORDS[(index * step) % 11] for index in range(1 + length))
    for length, step in itertools.product(range(11), range(1, 5))
]
UNUSUAL = [
    "", " ", "\n", "\t\t", "\u2028", "\u3000", "\x00", "\r", "a\x00b", "eins\u2028zwei", "eins\rzwei", "eins\nzwei",
    "\ud800", "zwei\udc80drei", "\u200b", "🙂" * 3, "\ufeffeins", "e\u0301" * 5, "‮eins‬", "\x85", "<s> </s> <unk> <pad>",
]  # fmt: skip

GOLDEN = Path(__file__).resolve().parents[1] / "goldens" / "1" / "lstm-gnmt-bilinear"


@pytest.fixture(scope="module")
def translator(random_model_folder: Path) -> Translator:
    return Translator.load(random_model_folder, device="cpu")


@pytest.fixture(scope="module")
def other_folder(random_model_folder: Path, tmp_path_factory, tiny_run, subwords) -> Path:
    """A second model with the same vocabulary."""
    state = read(random_model_folder).load_model().state_dict()
    generator = torch.Generator().manual_seed(9)
    state = {
        name: values + 0.3 * torch.randn(values.shape, generator=generator) for name, values in state.items()
    }
    folder = tmp_path_factory.mktemp("other") / "model"
    write(folder, run=tiny_run, subwords=subwords, model_state=state, metrics={})
    return folder


@pytest.mark.parametrize("beam_size", [1, 5])
def test_translations_do_not_depend_on_the_batch_size(translator, beam_size) -> None:
    expected = translator.translate(LINES, batch_size=1, beam_size=beam_size, n_best=beam_size)
    assert len({translation.text for translation in expected}) > len(LINES) / 4, (
        "the translations must differ"
    )
    for batch_size in (2, 7, 64):
        assert (
            translator.translate(LINES, batch_size=batch_size, beam_size=beam_size, n_best=beam_size)
            == expected
        )


def test_translations_do_not_depend_on_order_or_window(translator) -> None:
    expected = dict(zip(LINES, translator.translate(LINES), strict=True))
    backwards = translator.translate(LINES[::-1], batch_size=5)
    assert backwards == [expected[line] for line in LINES[::-1]]
    assert list(translator.stream(LINES, window=1)) == list(map(expected.get, LINES))
    assert list(translator.stream(LINES, window=10, batch_size=4)) == list(map(expected.get, LINES))


def test_translations_of_an_ensemble_do_not_depend_on_the_batch_size(
    random_model_folder, other_folder
) -> None:
    ensemble = Translator.load([random_model_folder, other_folder], device="cpu")
    expected = ensemble.translate(LINES, batch_size=1)
    assert ensemble.translate(LINES, batch_size=64) == expected
    assert expected != Translator.load(random_model_folder, device="cpu").translate(LINES)
    assert expected != Translator.load(other_folder, device="cpu").translate(LINES)


def test_any_line_has_one_translation_of_one_line(translator) -> None:
    lines = [line for unusual in UNUSUAL for line in (unusual, "eins zwei .")]
    translations = translator.translate(lines)
    assert len(translations) == len(lines)
    assert [translation.source for translation in translations] == [line.removesuffix("\n") for line in lines]
    assert len({translation.text for translation in translations[1::2]}) == 1
    for translation in translations:
        assert len(translation.text.splitlines()) <= 1
        assert not set("\n\r\0\u2028\u2029\x85") & set(translation.text)
        translation.text.encode("utf-8")


@pytest.mark.parametrize("blank", ["", "  ", "\n", "\t", "\u3000", "\u2028", "\x00\x01"])
def test_the_translation_of_a_blank_line_is_empty(translator, blank) -> None:
    (translation,) = translator.translate([blank])
    assert (translation.text, translation.score) == ("", 0.0)
    assert translation.pieces == translation.alignment == translation.hypotheses == ()


def test_no_lines_have_no_translations(translator) -> None:
    assert translator.translate([]) == []


def test_earlier_models_warn_about_unknown_invisible_characters(caplog) -> None:
    translator = Translator.load(GOLDEN, device="cpu")
    translator.translate(["eins zwei", "eins\u00a0zwei"])
    (record,) = caplog.records
    assert record.getMessage().startswith("line 2: ")
    assert "U+00A0" in record.getMessage()


def test_current_models_treat_invisible_characters_as_spaces_or_nothing(caplog) -> None:
    translator = Translator.load("builtin:en-ja", device="cpu")
    plain, special = translator.translate(
        ["The young nurse read two books.", "The\u00a0young nur\u00adse read\u2009two books.\u200b"]
    )
    assert special.text == plain.text
    assert special.source_pieces == plain.source_pieces
    assert not caplog.records


def test_control_characters_count_as_spaces_and_cause_warnings(translator, caplog) -> None:
    translations = translator.translate(
        ["eins zwei", "eins\x00zwei", "eins\u2028zwei", "eins zwei\r\n", "eins zwei\n"]
    )
    assert len({(translation.text, translation.score) for translation in translations}) == 1
    messages = [record.getMessage() for record in caplog.records]
    assert [message.partition(":")[0] for message in messages] == ["line 2", "line 3"]
    assert all("control characters" in message for message in messages)


def test_few_warnings_of_a_kind_are_logged(translator, caplog) -> None:
    translator.translate(["\x00"] * 1_000)
    assert len(caplog.records) == 11
    assert "no more warnings of this kind (control characters)" in caplog.text


def test_long_lines_are_truncated_with_a_warning(translator, caplog) -> None:
    limit = translator.run.search.max_source_pieces
    line = "eins zwei drei " * 7_000
    assert len(line) > 100_000
    settings = translator.run.search.model_copy(update={"max_length_ratio": 0.01})
    translations = translator.translate(["eins", line, "zwei"], search=settings)
    assert [bool(translation.source_pieces) for translation in translations] == [True] * 3
    assert len(translations[1].source_pieces) == limit
    assert "line 2: " in caplog.text
    assert f"truncated to the first {limit} (search.max_source_pieces)" in caplog.text
    assert len(caplog.records) == 1


def test_lines_are_read_one_window_ahead(translator) -> None:
    read_lines = 0

    def endless():
        nonlocal read_lines
        while True:
            read_lines += 1
            yield "eins zwei"

    stream = translator.stream(endless(), window=6, batch_size=2, beam_size=1)
    assert len(list(itertools.islice(stream, 13))) == 13
    assert read_lines == 18


@pytest.mark.parametrize("value", [None, b"eins", 5, ["eins"]])
def test_a_line_that_is_not_a_string_is_an_error_with_its_number(translator, value) -> None:
    with pytest.raises(NotTextError) as caught:
        translator.translate(["eins", value])
    assert (caught.value.number, caught.value.value) == (2, value)
    assert ("decode" in str(caught.value)) is isinstance(value, bytes)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.number, copy.value, str(copy)) == (2, value, str(caught.value))
    with pytest.raises(NotTextError) as caught:
        list(translator.stream(["eins", value], first_line=10))
    assert caught.value.number == 11
    with pytest.raises(NotTextError) as caught:
        translator.score(["eins", "zwei"], ["one", value])
    assert caught.value.number == 2


def test_a_batch_that_does_not_fit_into_memory_is_halved(translator, monkeypatch, caplog) -> None:
    expected = translator.translate(LINES)
    original = translator.models[0].encode

    def small_memory(source):
        if len(source.lengths) > 3:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
        return original(source)

    monkeypatch.setattr(translator.models[0], "encode", small_memory)
    assert translator.translate(LINES) == expected
    assert "together do not fit into memory" in caplog.text


def test_a_sentence_that_does_not_fit_into_memory_is_an_error(translator, monkeypatch) -> None:
    def no_memory(source):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(translator.models[0], "encode", no_memory)
    with pytest.raises(ResourceError, match="--beam-size"):
        translator.translate(LINES[:4])


def test_other_errors_are_raised_unchanged(translator, monkeypatch) -> None:
    def broken(source):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(translator.models[0], "encode", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        translator.translate(LINES[:4])


def test_long_sentences_are_in_small_batches() -> None:
    batches = sentence_batches.SentenceBatches([[4] * 500] * 20 + [[4] * 5] * 20, batch_size=64)
    assert [len(indices) for indices in batches.indices()] == [8, 8, 4, 20]


PRINT_LOADED = "import sys; loaded = [name for name in sys.modules if name.startswith(('pytorch_lightning', 'lightning', "
PRINT_LOADED += "'nmt_lstm.training', 'tensorboard'))]; print(loaded)"


@pytest.mark.parametrize(
    ("program", "is_clean"),
    [("import nmt_lstm.inference.translator", True), ("import lightning_probe", False)],
)
def test_inference_does_not_import_training_or_lightning(program, is_clean, tmp_path) -> None:
    (tmp_path / "lightning_probe.py").write_text("")
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path.append({str(tmp_path)!r}); {program}; {PRINT_LOADED}",
    ]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert (printed == "[]") is is_clean


def test_ordinary_lines_cause_no_log_messages(translator, caplog) -> None:
    with caplog.at_level(logging.DEBUG):
        translator.translate(LINES[:5])
    assert not caplog.records


@pytest.mark.parametrize("arguments", [{"n_best": 6}, {"beam_size": 0}, {"batch_size": 0}, {"window": 0}])
def test_arguments_out_of_range_are_errors_before_the_first_line_is_read(translator, arguments) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(arguments))):
        translator.stream(["eins"], **arguments)
    with pytest.raises(ConfigurationError, match="list"):
        translator.stream("eins")
