"""Each reader of files turns any bytes into a value or an `NmtLstmError` that names the file, within seconds; no line is lost.

`NMT_LSTM_FUZZ` is the number of files for each reader.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutation import damaged_bytes

from nmt_lstm.cli.lines import decoded_lines, input_lines
from nmt_lstm.config.load import load_run
from nmt_lstm.errors import NmtLstmError
from nmt_lstm.importing.text_files import read_json, read_list, read_words_yaml, read_yaml
from nmt_lstm.importing.torch_file import read_torch_file
from nmt_lstm.inference.nbest_lists import read_nbest_lists
from nmt_lstm.inference.rescoring import RescoringWeights
from nmt_lstm.inference.terms import Terms
from nmt_lstm.lab.leaderboard.settings import load_board
from nmt_lstm.series.table import read_table
from nmt_lstm.text.corpus import read_parallel
from nmt_lstm.text.html_blocks import html_blocks
from nmt_lstm.text.kept_patterns import KeptPatterns
from nmt_lstm.text.text_file import count_lines, read_lines
from nmt_lstm.text.word_vectors import vector_width
from nmt_lstm.training.csv_log import log_file, start_log

pytestmark = pytest.mark.slow
CASES = int(os.environ.get("NMT_LSTM_FUZZ", "60"))
MAX_SECONDS = 5.0
"""Of the processor, so that a busy machine does not count."""

LIST = {
    "source": "a",
    "source_pieces": ["a"],
    "hypotheses": [{"text": "b", "score": -1.5, "pieces": ["b"]}],
    "unmet": [],
}
LOG = "step,epoch,train_loss,valid_bleu\n5,0,2.5,\n10,0,1.5,3.25\n"


def read_html(path: Path) -> object:
    document = path.read_bytes().decode("utf-8", "replace")
    blocks = list(html_blocks(document, KeptPatterns(())))
    return len(blocks)


def read_training_log(path: Path) -> object:
    log = log_file(path.parent)
    log.parent.mkdir(exist_ok=True)
    log.write_bytes(path.read_bytes())
    start_log(path.parent, 10, digests={log.name: [3, "0"]})
    return log.read_text(encoding="utf-8")


READERS: dict[str, tuple[bytes, Callable[[Path], Any]]] = {
    "lines of text": (b"ein Hund\nzwei Hunde\n", lambda path: len(list(read_lines(path)))),
    "columns": (b"a\tb\nc\td\n", lambda path: list(read_lines(f"{path}:2"))),
    "pairs": (b"a\nb\n", lambda path: list(read_parallel((path,), (path,)))),
    "lines to translate": (b"ein Hund\nzwei Hunde\n", lambda path: len(list(input_lines(path)))),
    "n-best lists": (
        json.dumps(LIST).encode() + b"\n",
        lambda path: list(read_nbest_lists(read_lines(path), str(path))),
    ),
    "weights of rescoring": (b'{"weights": {"lm": 0.5}}', RescoringWeights.read),
    "terms": (b"Hund\tdog\n", Terms.load),
    "series": (b"a,b\n1,2\n3,4.5\n", read_table),
    "word vectors": (b"2 3\nein 1 2 3\nHund 0.5 1e3 -2\n", vector_width),
    "run files": (b'[data]\ntrain_source = "a"\ntrain_target = "b"\n[training]\nepochs = 3\n', load_run),
    "boards": (b'[test_sets.a]\nsource = "a"\nreferences = ["b"]\n', lambda path: load_board(path.parent)),
    "logs": (LOG.encode(), read_training_log),
    "HTML": (b"<p>ein <b>Hund</b> &amp;</p><!-- c --><pre>x</pre>", read_html),
    "YAML of other toolkits": (b"a: 1\nb: [1, 2]\n", read_yaml),
    "vocabularies in YAML": (b'"a": 1\n"b": 2\n', read_words_yaml),
    "vocabularies in lists": (b"<unk>\n<pad>\nHund\n", read_list),
    "JSON of other toolkits": (b'{"a": [1, {"b": null}]}', read_json),
    "files of PyTorch": (b"PK\x03\x04" + bytes(40), read_torch_file),
}
NAMES = {"boards": "board.toml"}
SEVERAL_PROBLEMS = ("run files", "boards")
KEEPS_LINES = ("lines of text", "lines to translate")


def check(name: str, path: Path, content: bytes, counts: Counter) -> None:
    """Let a reader read the bytes; anything but a value or an `NmtLstmError`, in time, fails the test."""
    path.write_bytes(content)
    start, refusal = time.process_time(), ""
    try:
        value = READERS[name][1](path)
        counts["read"] += 1
    except NmtLstmError as problem:
        counts["refused"] += 1
        refusal = str(problem)
    else:
        if name in KEEPS_LINES:
            assert value == content.count(b"\n") + (not content.endswith(b"\n") and bool(content))
            assert name == "lines to translate" or count_lines(path) == value
    assert "\n" not in refusal or name in SEVERAL_PROBLEMS, refusal
    assert time.process_time() - start < MAX_SECONDS, content[:1000]


@pytest.mark.parametrize("name", READERS)
def test_any_bytes(name, tmp_path, counted):
    sound, counts = READERS[name][0], Counter[str]()
    path = tmp_path / NAMES.get(name, "file")

    @settings(
        max_examples=CASES // 2, deadline=None, database=None, derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )  # fmt: skip
    @given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)))
    def random_bytes(content: bytes) -> None:
        check(name, path, content, counts)

    random_bytes()
    for seed in range(CASES - CASES // 2):
        check(name, path, damaged_bytes(random.Random(seed), sound * (1 + seed % 3)), counts)
    total = sum(counts.values())
    counted(
        f"{total:,} fuzzed files without traceback or hang: {name} ({counts['refused']:,} refused by name)"
    )


def test_a_decoder_of_lines_keeps_their_number():
    @settings(max_examples=CASES, deadline=None, database=None, derandomize=True)
    @given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b" ")), max_size=30))
    def lines(content: list[bytes]) -> None:
        try:
            decoded = list(decoded_lines([line + b"\n" for line in content], "text"))  # type: ignore[arg-type]
        except NmtLstmError:  # the first line is not text in UTF-8 at all
            return
        assert len(decoded) == len(content)

    lines()
