"""A translator inside a host program that pickles it or has changed torch's defaults."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from nmt_lstm.checkpoint.model_folder import read, write
from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.inference.exported import write_exported
from nmt_lstm.inference.lexicon import learn_lexicon
from nmt_lstm.inference.onnx.folder import write_onnx
from nmt_lstm.inference.shortlist import Shortlist
from nmt_lstm.inference.translator import Translator
from nmt_lstm.model.build import build_model

LINES = ["eins zwei .", "drei vier fünf sechs .", "", "sieben", "acht neun null eins zwei ."]
PRECISIONS = ["float32", "int8", pytest.param("bf16", marks=pytest.mark.needs_bf16)]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_pickled_translator_translates_the_same(random_model_folder, precision) -> None:
    translator = Translator.load(random_model_folder, device="cpu", precision=precision)
    copy = pickle.loads(pickle.dumps(translator))
    assert copy.translate(LINES) == translator.translate(LINES)
    assert copy.score(LINES, LINES) == translator.score(LINES, LINES)


@pytest.mark.parametrize("cell", ["gru", "rnn", "lstm"])
@pytest.mark.parametrize("wiring", WIRINGS)
def test_every_network_can_be_pickled(tmp_path, tiny_run, subwords, cell, wiring) -> None:
    decoder = tiny_run.model.decoder.model_copy(update={"cell": cell, "wiring": wiring})
    model_settings = tiny_run.model.model_copy(update={"decoder": decoder})
    run = tiny_run.model_copy(update={"model": model_settings})
    model = build_model(run.model, subwords.source.size, subwords.target.size)
    write(tmp_path / "model", run=run, subwords=subwords, model_state=model.state_dict(), metrics={})
    translator = Translator.load(tmp_path / "model", device="cpu")
    assert pickle.loads(pickle.dumps(translator)).translate(LINES) == translator.translate(LINES)


def test_an_exported_translator_with_a_shortlist_can_be_pickled(random_model_folder, tmp_path) -> None:
    folder = read(random_model_folder)
    sentences = folder.subwords.source.encode_lines(LINES)
    sizes = {"source_size": folder.subwords.source.size, "target_size": folder.subwords.target.size}
    lexicon = learn_lexicon(list(zip(sentences, sentences[::-1], strict=True)), count=4, **sizes)
    shortlist = Shortlist.of(lexicon, frequent=10, target_size=sizes["target_size"])
    write_exported(tmp_path / "fast", folder, "int8", shortlist)
    translator = Translator.load(tmp_path / "fast")
    assert pickle.loads(pickle.dumps(translator)).translate(LINES) == translator.translate(LINES)


@pytest.mark.slow
@pytest.mark.long
def test_a_translator_of_onnx_graphs_can_be_pickled(random_model_folder, tmp_path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    write_onnx(tmp_path / "onnx", read(random_model_folder), "float32")
    translator = Translator.load(tmp_path / "onnx")
    assert pickle.loads(pickle.dumps(translator)).translate(LINES) == translator.translate(LINES)


LOADING = """
import pickle, sys
with open(sys.argv[1], "rb") as file:
    translator = pickle.load(file)
print(translator.translate({lines!r}))
"""


@pytest.mark.slow
def test_an_ensemble_can_be_sent_to_another_process(random_model_folder, tmp_path) -> None:
    translator = Translator.load([random_model_folder, random_model_folder], device="cpu")
    (tmp_path / "translator").write_bytes(pickle.dumps(translator))
    command = [sys.executable, "-c", LOADING.format(lines=LINES), str(tmp_path / "translator")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert printed == f"{translator.translate(LINES)}\n"


# A separate process, so that the trials at first use happen with the host's defaults.
HOST = """
import sys, torch
{defaults}
from nmt_lstm.numerics.int8 import int8_is_fast
from nmt_lstm.numerics import onednn
from nmt_lstm.inference.translator import Translator
print(int8_is_fast(), onednn.float32_works(), onednn.packing_works(torch.float32))
for folder, precision in zip(sys.argv[1::2], sys.argv[2::2]):
    translator = Translator.load(folder, device="cpu", precision=precision)
    print(translator.translate({lines!r}, n_best=2), translator.score({lines!r}, {lines!r}))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "defaults", ["torch.set_default_dtype(torch.float64)", "torch.set_default_device('meta')"]
)
def test_defaults_of_the_host_program_change_no_bit(random_model_folder, tmp_path, defaults) -> None:
    write_exported(tmp_path / "fast", read(random_model_folder), "int8")
    arguments = [
        str(random_model_folder),
        "float32",
        str(random_model_folder),
        "int8",
        str(tmp_path / "fast"),
        "auto",
    ]

    def printed(defaults: str) -> str:
        program = HOST.format(defaults=defaults, lines=LINES)
        command = [sys.executable, "-c", program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(tmp_path)).stdout

    assert printed(defaults) == printed("")
