"""``plugins check``: its table, its exit status, and the names that it accepts."""

from __future__ import annotations

import re

import pytest

from nmt_lstm.numerics.bf16_trial import bf16_works

BROKEN = '''
from nmt_lstm import CELLS, GatedCell


@CELLS.register("mean_over_batch")
class MeanOverBatch(GatedCell):
    """A cell whose rows see each other."""

    gates = ("candidate",)

    def update(self, x, h, state):
        return ((x.candidate + h.candidate).tanh() - state[0].mean(0, keepdim=True),)
'''


def test_a_stock_cell_passes(command):
    finished = command("plugins", "check", "gru")
    assert finished.status == 0
    text = finished.text
    assert text.startswith("cell gru (nmt-lstm ")
    assert re.search(r"^  passed +row alone equals row in batch  ", text, re.MULTILINE)
    summary = text.rstrip().splitlines()[-1]
    assert summary == ("21 checks: 21 passed." if bf16_works() else "21 checks: 20 passed, 1 not checked.")


def test_a_check_that_the_processor_cannot_run_is_reported(command, monkeypatch):
    from nmt_lstm.testing import gradients

    monkeypatch.setattr(gradients, "bf16_works", lambda: False)
    finished = command("plugins", "check", "gru")
    assert finished.status == 0
    text = " ".join(finished.text.split())
    assert "not checked bf16 is near float32" in text
    assert text.endswith("21 checks: 20 passed, 1 not checked.")


def test_an_attention_is_checked_with_options(command):
    finished = command("plugins", "check", "multi_head", "--option", "heads=2")
    assert finished.status == 0
    assert "heads: int = 8" in finished.text


def test_a_broken_cell_fails_with_a_hint(command, tmp_path):
    file = tmp_path / "broken.py"
    file.write_text(BROKEN, encoding="utf-8")
    finished = command("plugins", "check", file)
    assert finished.status == 1
    text = finished.text
    assert "FAILED" in text
    assert "hint: " in text
    assert "no statistics over the batch" in " ".join(text.split())
    assert finished.err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lsmt",), "Did you mean 'lstm'?"),
        (("lstm", "--option", "forget_bias"), "--option 'forget_bias'"),
        (("lstm", "--option", "bias=1"), "unknown option 'bias'"),
        (("lstm", "--option", "forget_bias=yes"), "'forget_bias' is 'yes'"),
        (("lstm", "--expect-failure", "beams=why"), "'beams' in expected_failures"),
        (("none.py",), "'none.py' does not exist"),
    ],
)
def test_invalid_arguments_are_one_line(command, arguments, message):
    finished = command("plugins", "check", *arguments)
    assert finished.status in (1, 2)
    assert message in finished.error


def test_an_expected_failure_must_fail(command):
    finished = command("plugins", "check", "rnn", "--expect-failure", "beams_reorder=it is new")
    assert finished.status == 1
    assert "expected to fail" in " ".join(finished.text.split())


MISSPELT = BROKEN.replace("x.candidate", "x.candidat")


def test_an_error_at_the_first_call_is_reported_once_with_its_line(command, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    file = tmp_path / "misspelt.py"
    file.write_text(MISSPELT, encoding="utf-8")
    finished = command("plugins", "check", file)
    assert finished.status == 1
    text = " ".join(finished.text.split())
    assert text.count("has no attribute 'candidat'") == 1
    assert text.count("FAILED") == 1
    assert "misspelt.py, line 12: return ((x.candidat + h.candidate).tanh()" in text
    assert "19 not run" in text


def test_check_and_show_accept_a_folder(command, tmp_path):
    folder = tmp_path / "mean"
    folder.mkdir()
    (folder / "__init__.py").write_text("from . import cell\n", encoding="utf-8")
    (folder / "cell.py").write_text(MISSPELT, encoding="utf-8")
    assert "cell.py, line 12" in " ".join(command("plugins", "check", "mean/").text.split())
    shown = command("plugins", "show", "mean")
    assert shown.status == 0
    assert "class MeanOverBatch(GatedCell)" in shown.text


def test_a_cell_for_a_different_protocol_is_recognised(command, tmp_path, monkeypatch):
    info = tmp_path / "site" / "toy_old-0.3.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-old\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text("[nmt_lstm.cells.v0]\nelder = toy_old:Elder\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    for verb in ("check", "show"):
        finished = command("plugins", verb, "elder")
        assert finished.status == 1
        assert "toy-old 0.3" in finished.err
        assert "protocol v0" in finished.err
