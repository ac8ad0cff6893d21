"""The translator: the same translation in any company, and one output for every line there can be."""

from __future__ import annotations

import itertools
import logging
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nmt_lstm.checkpoint.model_folder import read, write
from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.errors import ConfigurationError, ModelFolderError, NotTextError, ResourceError
from nmt_lstm.inference.translator import Translator
from nmt_lstm.model.build import build_model
from nmt_lstm.numerics import precision
from nmt_lstm.search import sentence_batches
from nmt_lstm.text.subwords import train_subwords

WORDS = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "."]
LINES = [" ".join(WORDS[(place * step) % 11] for place in range(1 + place_count % 17)) for place_count, step in
         itertools.product(range(11), range(1, 5))]  # fmt: skip
HOSTILE = [
    "", " ", "\n", "\t\t", "\u2028", "\u3000", "\x00", "\r", "a\x00b", "eins\u2028zwei", "eins\rzwei", "eins\nzwei",
    "\ud800", "zwei\udc80drei", "\u200b", "🙂" * 3, "\ufeffeins", "e\u0301" * 5, "‮eins‬", "\x85", "<s> </s> <unk> <pad>",
]  # fmt: skip

GOLDEN = Path(__file__).resolve().parents[1] / "goldens" / "1" / "lstm-gnmt-bilinear"


@pytest.fixture(scope="module")
def translator(random_model_folder: Path) -> Translator:
    return Translator.load(random_model_folder, device="cpu")


@pytest.fixture(scope="module")
def other_folder(random_model_folder: Path, tmp_path_factory, tiny_run, subwords) -> Path:
    """A second model of the same vocabulary."""
    state = read(random_model_folder).load_model().state_dict()
    generator = torch.Generator().manual_seed(9)
    state = {
        name: values + 0.3 * torch.randn(values.shape, generator=generator) for name, values in state.items()
    }
    folder = tmp_path_factory.mktemp("other") / "model"
    write(folder, run=tiny_run, subwords=subwords, model_state=state, metrics={})
    return folder


@pytest.mark.parametrize("beam_size", [1, 5])
def test_the_batch_size_changes_no_bit(translator, beam_size) -> None:
    expected = translator.translate(LINES, batch_size=1, beam_size=beam_size, n_best=beam_size)
    assert len({translation.text for translation in expected}) > len(LINES) / 4, (
        "the model must not be trivial"
    )
    for batch_size in (2, 7, 64):
        assert (
            translator.translate(LINES, batch_size=batch_size, beam_size=beam_size, n_best=beam_size)
            == expected
        )


def test_neither_order_nor_company_nor_window_changes_a_translation(translator) -> None:
    expected = dict(zip(LINES, translator.translate(LINES), strict=True))
    backwards = translator.translate(LINES[::-1], batch_size=5)
    assert backwards == [expected[line] for line in LINES[::-1]]
    assert list(translator.stream(LINES, window=1)) == list(map(expected.get, LINES))
    assert list(translator.stream(LINES, window=10, batch_size=4)) == list(map(expected.get, LINES))


def test_an_ensemble_is_as_independent_of_the_batch_size(random_model_folder, other_folder) -> None:
    ensemble = Translator.load([random_model_folder, other_folder], device="cpu")
    expected = ensemble.translate(LINES, batch_size=1)
    assert ensemble.translate(LINES, batch_size=64) == expected
    assert expected != Translator.load(random_model_folder, device="cpu").translate(LINES)
    assert expected != Translator.load(other_folder, device="cpu").translate(LINES)


def test_every_line_gets_one_translation_of_one_line(translator) -> None:
    lines = [line for hostile in HOSTILE for line in (hostile, "eins zwei .")]
    found = translator.translate(lines)
    assert len(found) == len(lines)
    assert [translation.source for translation in found] == [line.removesuffix("\n") for line in lines]
    assert len({translation.text for translation in found[1::2]}) == 1
    for translation in found:
        assert len(translation.text.splitlines()) <= 1
        assert not set("\n\r\0\u2028\u2029\x85") & set(translation.text)
        translation.text.encode("utf-8")


@pytest.mark.parametrize("blank", ["", "  ", "\n", "\t", "\u3000", "\u2028", "\x00\x01"])
def test_a_blank_line_is_empty_and_not_searched(translator, blank) -> None:
    found = translator.translate([blank])[0]
    assert (found.text, found.score, found.pieces, found.alignment, found.hypotheses) == ("", 0.0, (), (), ())


def test_no_lines_give_no_translations(translator) -> None:
    assert translator.translate([]) == []


def test_invisible_characters_that_a_model_of_before_does_not_know_are_mentioned(caplog) -> None:
    translator = Translator.load(GOLDEN, device="cpu")
    translator.translate(["eins zwei", "eins\u00a0zwei"])
    assert [record.getMessage()[:14] for record in caplog.records] == ["line 2: it has"]
    assert "U+00A0" in caplog.text


def test_models_that_take_them_for_blanks_translate_as_if_they_were(caplog) -> None:
    translator = Translator.load("builtin:en-ja", device="cpu")
    plain, special = translator.translate(
        ["The young nurse read two books.", "The\u00a0young nur\u00adse read\u2009two books.\u200b"]
    )
    assert special.text == plain.text
    assert special.source_pieces == plain.source_pieces
    assert not caplog.records


def test_control_characters_count_as_spaces_and_are_mentioned(translator, caplog) -> None:
    found = translator.translate(
        ["eins zwei", "eins\x00zwei", "eins\u2028zwei", "eins zwei\r\n", "eins zwei\n"]
    )
    assert len({(translation.text, translation.score) for translation in found}) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "line 2: control characters were replaced by spaces.",
        "line 3: control characters were replaced by spaces.",
    ]


def test_warnings_do_not_flood(translator, caplog) -> None:
    translator.translate(["\x00"] * 1_000)
    assert len(caplog.records) == 11
    assert "no more warnings of this kind (control characters)" in caplog.text


def test_long_lines_are_cut_with_a_warning_that_names_the_line(translator, caplog) -> None:
    limit = translator.run.search.max_source_pieces
    line = "eins zwei drei " * 7_000
    assert len(line) > 100_000
    settings = translator.run.search.model_copy(update={"max_length_ratio": 0.01})
    found = translator.translate(["eins", line, "zwei"], search=settings)
    assert [bool(translation.source_pieces) for translation in found] == [True] * 3
    assert len(found[1].source_pieces) == limit
    assert "line 2: it has" in caplog.text
    assert f"truncated to the first {limit} (search.max_source_pieces)" in caplog.text
    assert len(caplog.records) == 1


def test_lines_stream_through_a_bounded_window(translator) -> None:
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield "eins zwei"

    stream = translator.stream(endless(), window=6, batch_size=2, beam_size=1)
    assert len(list(itertools.islice(stream, 13))) == 13
    assert taken == 18


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_best": 6}, r"n_best is 6, .* beam size \(5\)"),
        ({"beam_size": 0}, "beam_size is 0: .*greater than or equal to 1"),
        ({"n_best": "2"}, "n_best is '2', .* whole number"),
        ({"batch_size": 0}, "batch_size is 0, .* at least 1"),
        ({"batch_size": 2.5}, "batch_size is 2.5, .* whole number"),
        ({"window": 0}, "window is 0, .* at least 1"),
    ],
)
def test_arguments_out_of_range_are_refused_at_once(translator, arguments, message) -> None:
    with pytest.raises(ConfigurationError, match=message):
        translator.stream(["eins"], **arguments)


@pytest.mark.parametrize("lines", ["eins zwei", b"eins zwei", None, 5])
def test_what_is_no_list_of_lines_is_refused_at_once(translator, lines) -> None:
    with pytest.raises(ConfigurationError, match="lines is .* list"):
        translator.stream(lines)
    with pytest.raises(ConfigurationError, match="targets is .* list"):
        translator.score(["eins"], lines)


@pytest.mark.parametrize("value", [None, b"eins", 5, ["eins"]])
def test_a_line_that_is_not_text_is_named_by_its_number(translator, value) -> None:
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


def test_a_batch_that_does_not_fit_is_halved(translator, monkeypatch, caplog) -> None:
    expected = translator.translate(LINES)
    original = translator._model.encode

    def small_memory(source):
        if len(source.lengths) > 3:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
        return original(source)

    monkeypatch.setattr(translator._model, "encode", small_memory)
    assert translator.translate(LINES) == expected
    assert "together do not fit into memory" in caplog.text


def test_a_sentence_that_does_not_fit_says_what_to_lower(translator, monkeypatch) -> None:
    def no_memory(source):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(translator._model, "encode", no_memory)
    with pytest.raises(
        ResourceError, match=r"single sentence of .* lower --beam-size or search.max_source_pieces"
    ):
        translator.translate(LINES[:4])


def test_other_failures_are_not_mistaken_for_memory(translator, monkeypatch) -> None:
    def broken(source):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(translator._model, "encode", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        translator.translate(LINES[:4])


def test_long_sentences_come_in_small_batches() -> None:
    batches = sentence_batches.SentenceBatches([[4] * 500] * 20 + [[4] * 5] * 20, batch_size=64)
    assert [len(indices) for indices in batches.indices()] == [8, 8, 4, 20]


def test_models_of_different_vocabularies_form_no_ensemble(random_model_folder, tmp_path, tiny_run) -> None:
    pairs = [("ganz andere Wörter", "quite different words")] * 20
    subwords = train_subwords(lambda: pairs, SubwordSettings(vocabulary_size=290), len(pairs), seed=1)
    model = build_model(tiny_run.model, subwords.source.size, subwords.target.size)
    write(tmp_path / "b", run=tiny_run, subwords=subwords, model_state=model.state_dict(), metrics={})
    with pytest.raises(
        ConfigurationError, match=r"b' have different source vocabularies and cannot form an ensemble"
    ):
        Translator.load([random_model_folder, tmp_path / "b"], device="cpu")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"device": "gpu"}, ConfigurationError, "unknown device 'gpu'; use auto, cpu, cuda"),
        ({"device": "cuda:99"}, ResourceError, "device 'cuda:99' does not exist"),
        ({"precision": "bf61"}, ConfigurationError, "unknown precision 'bf61'. Did you mean 'bf16'"),
    ],
)
def test_loading_refuses_what_is_not_there(random_model_folder, arguments, error, message) -> None:
    with pytest.raises(error, match=message):
        Translator.load(random_model_folder, **arguments)


def test_loading_needs_a_folder(tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="no model folder was given"):
        Translator.load([])
    with pytest.raises(ModelFolderError, match="does not exist"):
        Translator.load(tmp_path / "nowhere")


@pytest.mark.needs_bf16
def test_reduced_precision_translates(random_model_folder) -> None:
    reduced = Translator.load(random_model_folder, device="cpu", precision="bf16")
    assert reduced.precision == "bf16"
    assert len(reduced.translate(LINES[:5])) == 5


def test_bf16_is_refused_where_the_processor_has_none(random_model_folder, monkeypatch) -> None:
    monkeypatch.setattr(precision, "bf16_works", lambda: False)
    with pytest.raises(ResourceError, match="does not compute in bf16"):
        Translator.load(random_model_folder, device="cpu", precision="bf16")


def test_the_folder_alone_suffices(random_model_folder, tmp_path, translator) -> None:
    moved = shutil.copytree(random_model_folder, tmp_path / "elsewhere")
    assert Translator.load(moved, device="cpu").translate(LINES[:3]) == translator.translate(LINES[:3])


HEAVY = "import sys; loaded = [name for name in sys.modules if name.startswith(('pytorch_lightning', 'lightning', "
HEAVY += "'nmt_lstm.training', 'tensorboard'))]; print(loaded)"


@pytest.mark.parametrize(
    ("program", "clean"), [("import nmt_lstm.inference.translator", True), ("import lightning_probe", False)]
)
def test_inference_imports_nothing_of_training(program, clean, tmp_path) -> None:
    (tmp_path / "lightning_probe.py").write_text("")
    command = [sys.executable, "-c", f"import sys; sys.path.append({str(tmp_path)!r}); {program}; {HEAVY}"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert (printed == "[]") is clean


def test_loggers_are_quiet_about_good_lines(translator, caplog) -> None:
    with caplog.at_level(logging.DEBUG):
        translator.translate(LINES[:5])
    assert not caplog.records
