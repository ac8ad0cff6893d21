"""The run files beside the corpora: each loads, names text that its corpus has, and describes a network that can be built."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import torch

from nmt_lstm.config.load import dump_toml, load_run
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.evaluation.scores import TOKENIZERS
from nmt_lstm.model.build import build_model
from nmt_lstm.registry import CELLS, ENCODERS

DATA = Path(__file__).resolve().parents[2] / "data"
# The built-in corpus has a run file too, of a smaller kind: see tests/corpora.
EVERY_RUN_FILE = sorted(path for path in DATA.glob("*/*.toml") if path.with_name("prepare.py").exists())
# de-en.toml is the run file of a direction; de-en-transformer-ssru.toml trains a different network, whose parts are plugins.
RUN_FILES = [path for path in EVERY_RUN_FILE if path.stem.count("-") == 1]


@pytest.fixture(params=EVERY_RUN_FILE, ids=lambda path: f"{path.parent.name}-{path.stem}")
def run_file(request: pytest.FixtureRequest) -> Path:
    return request.param


def check_installed(run: RunSettings) -> None:
    """Skip the test if a plugin is not installed that the network needs."""
    names = {ENCODERS: [run.model.encoder.name], CELLS: [run.model.encoder.cell, run.model.decoder.cell]}
    missing = [name for registry, parts in names.items() for name in parts if name not in registry.names()]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def test_every_corpus_to_fetch_has_a_run_file_for_each_direction() -> None:
    found = {(path.parent.name, path.stem) for path in RUN_FILES}
    fetched = [script.parent.name for script in DATA.glob("*/prepare.py")]
    assert len(fetched) == 4
    for corpus in fetched:
        (one, other) = sorted(stem for name, stem in found if name == corpus)
        assert one.split("-") == other.split("-")[::-1]


def test_it_loads_and_resolves(run_file, tmp_path) -> None:
    run = load_run(run_file)
    check_installed(run)
    (tmp_path / "run.toml").write_text(dump_toml(run), encoding="utf-8")
    assert load_run(tmp_path / "run.toml") == run
    assert run.data.tokenize in (*TOKENIZERS, "auto")


def test_it_names_text_that_its_corpus_has(run_file) -> None:
    data = load_run(run_file).data
    known = {file.name for file in runpy.run_path(str(run_file.with_name("prepare.py")))["FILES"]}
    source, target = run_file.stem.split("-")[:2]
    assert (data.source_language, data.target_language) == (source, target)
    for path, language in (
        (data.train_source, source),
        (data.train_target, target),
        (data.valid_source, source),
        (data.valid_target, target),
    ):
        assert path.parent == run_file.parent / "raw"
        assert path.name in known
        assert path.suffix == f".{language}"
    assert data.train_source.stem == data.train_target.stem == "train"
    assert data.valid_source.stem == data.valid_target.stem != "train"


def test_its_network_can_be_built(run_file) -> None:
    run = load_run(run_file)
    check_installed(run)
    size = run.subwords.vocabulary_size
    with torch.device("meta"):
        model = build_model(run.model, size, size)
    assert 5e6 < sum(parameter.numel() for parameter in model.parameters()) < 3e8


# What was chosen for each direction on its own validation text.
TUNED = {
    "multi30k": {
        "subwords.sampling", "model.word_dropout", "training.epochs", "training.time_limit", "search.alpha",
        "search.beam_size",
    },
    "small_parallel_enja": {"search.alpha", "search.beam_size"},
}  # fmt: skip


def test_both_directions_are_trained_alike() -> None:
    for corpus in {path.parent for path in RUN_FILES}:
        files = [path for path in RUN_FILES if path.parent == corpus]
        runs = [load_run(path).model_dump(exclude={"data": True}) for path in files]
        one, other = (dict(flat(run)) for run in runs)
        different = {key for key in one | other if one.get(key) != other.get(key)}
        assert different == TUNED.get(corpus.name, set())


def flat(values, path: str = ""):
    """Nested settings as (path, value)."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


@pytest.mark.parametrize("corpus", sorted(path.name for path in DATA.iterdir() if path.is_dir()))
def test_every_corpus_says_what_it_is(corpus) -> None:
    text = (DATA / corpus / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    for word in ("Origin", "Licence", "Size", "Good for", "How to get it", "How it is scored"):
        assert word in text
    for path in sorted((DATA / corpus).glob("*.toml")):
        assert path.name in text
