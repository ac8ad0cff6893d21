"""Models that other toolkits trained translate as the toolkits do: real files, made by the programs in ``models``."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from nmt_lstm import Translator
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.importing.errors import DamagedSourceError
from nmt_lstm.importing.marian_vocabularies import find_vocabularies
from nmt_lstm.importing.toolkits import TOOLKITS, import_model, toolkit_of
from nmt_lstm.importing.writing import write_imported

MODELS = Path(__file__).parent / "models"


class Golden(NamedTuple):
    """A model of a toolkit."""

    toolkit: str
    file: str
    vocabularies: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return MODELS / self.file

    @property
    def folder(self) -> Path:
        return self.path if self.path.is_dir() else self.path.parent


GOLDENS = {
    golden.folder.name: golden
    for golden in (
        Golden("joeynmt", "joeynmt-gru"),
        Golden("joeynmt", "joeynmt-lstm"),
        Golden("opennmt", "opennmt-default/model_step_1500.pt"),
        Golden("opennmt", "opennmt-brnn/model_step_500.pt"),
        Golden("eole", "eole-rnn"),
        Golden(
            "marian",
            "marian-gru/model.npz",
            ("marian-gru/vocabulary.de.yml", "marian-gru/vocabulary.en.yml"),
        ),
        Golden("marian", "marian-lstm/model.npz", ("marian-lstm/joint.spm",)),
    )
}
every_golden = pytest.mark.parametrize("name", GOLDENS)


@pytest.fixture(scope="module")
def test_lines() -> list[str]:
    """The source side of the test text."""
    spec = importlib.util.spec_from_file_location("golden_text", MODELS / "text.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [source for source, _ in module.pairs(200, 3, unknown=0.05)]


@pytest.fixture(scope="module")
def imported(tmp_path_factory) -> Callable[[str], Path]:
    """Return a function that imports a golden model once and returns its model folder."""
    folders: dict[str, Path] = {}

    def folder_of(name: str) -> Path:
        if name not in folders:
            golden = GOLDENS[name]
            model = import_model(golden.path, vocabularies=[MODELS / file for file in golden.vocabularies])
            folders[name] = tmp_path_factory.mktemp(name)
            write_imported(folders[name], model, origin=golden.path)
        return folders[name]

    return folder_of


def translations(folder: Path, lines: list[str], *, beam_size: int, **options) -> list[str]:
    """Translate lines with a model folder in float32."""
    translator = Translator.load(folder, device="cpu", precision="float32")
    return [each.text for each in translator.translate(lines, beam_size=beam_size, **options)]


def check_equal(own: list[str], theirs: list[str], *, ended_by_limit: int) -> None:
    """Check that translations are equal, but for some that this program's limit ended, which begin like theirs."""
    assert len(own) == len(theirs) == 200
    different = [(ours, other) for ours, other in zip(own, theirs, strict=True) if ours != other]
    assert len(different) <= ended_by_limit
    for ours, other in different:
        assert other.startswith(ours)


@every_golden
def test_greedy_translations_are_those_of_the_toolkit(imported, test_lines, name) -> None:
    theirs = (GOLDENS[name].folder / "translations.1.txt").read_text("utf-8").splitlines()
    assert len(set(theirs)) > 40, "the model has learnt nothing that could differ"
    check_equal(translations(imported(name), test_lines, beam_size=1), theirs, ended_by_limit=15)


@every_golden
def test_most_beams_find_the_translations_of_the_toolkit(imported, test_lines, name) -> None:
    # Toolkits differ in when they stop, so their beams may find other translations.
    theirs = (GOLDENS[name].folder / "translations.4.txt").read_text("utf-8").splitlines()
    own = translations(imported(name), test_lines, beam_size=4)
    assert sum(ours == other for ours, other in zip(own, theirs, strict=True)) >= 170


@every_golden
def test_translations_do_not_depend_on_the_batch(imported, test_lines, name) -> None:
    lines = test_lines[:8]
    together = translations(imported(name), lines, beam_size=2, batch_size=8)
    assert translations(imported(name), lines, beam_size=2, batch_size=1) == together


MARIAN = pytest.mark.parametrize("name", ["marian-gru", "marian-lstm"])


@MARIAN
def test_log_probabilities_are_those_that_marian_recorded(imported, test_lines, name) -> None:
    check_scores(imported(name), test_lines, (GOLDENS[name].folder / "scores.txt").read_text("utf-8"))


@MARIAN
def test_log_probabilities_are_those_of_marian_itself(imported, test_lines, name, tmp_path) -> None:
    if importlib.util.find_spec("pymarian") is None:
        pytest.skip("pymarian is not installed")
    golden, source, output = GOLDENS[name], tmp_path / "source", tmp_path / "output"
    source.write_text("".join(f"{line}\n" for line in test_lines), "utf-8")
    vocabularies = [str(MODELS / file) for file in (golden.vocabularies * 2)[:2]]
    command = [
        *(sys.executable, "-m", "pymarian", "decode", "--models", golden.path, "--vocabs", *vocabularies),
        *("--input", source, "--output", output, "--beam-size", "1", "--n-best", "--max-length-factor", "3"),
        *("--cpu-threads", "1", "--workspace", "200", "--quiet"),
    ]
    subprocess.run([str(word) for word in command], check=True)
    lines = [line.split(" ||| ") for line in output.read_text("utf-8").splitlines()]
    check_scores(imported(name), test_lines, "".join(f"{line[1]}\t{line[-1]}\n" for line in lines))


def check_scores(folder: Path, sources: list[str], recorded: str) -> None:
    """Check the log-probabilities of translations; those that Marian's limit ended have no end in its scores."""
    texts, theirs = zip(*(line.split("\t") for line in recorded.splitlines()), strict=True)
    translator = Translator.load(folder, device="cpu", precision="float32")
    own = translator.score(sources, list(texts))
    differences = [abs(each.log_probability - float(other)) for each, other in zip(own, theirs, strict=True)]
    assert sum(difference < 1e-4 for difference in differences) >= 180


@every_golden
def test_the_files_tell_the_toolkit(name) -> None:
    assert toolkit_of(GOLDENS[name].path) == GOLDENS[name].toolkit


def test_the_table_has_a_model_of_every_toolkit() -> None:
    assert {golden.toolkit for golden in GOLDENS.values()} == set(TOOLKITS)


def test_a_path_that_is_no_model_is_refused_with_what_would_be_one(tmp_path) -> None:
    for path in (tmp_path, tmp_path / "text.txt"):
        if path.suffix:
            path.write_text("text")
        with pytest.raises(DamagedSourceError, match="npz") as caught:
            import_model(path)
        assert (caught.value.path, caught.value.known) == (path, tuple(TOOLKITS))
    with pytest.raises(DamagedSourceError, match="not exist"):
        import_model(tmp_path / "missing.npz")


def test_an_unknown_toolkit_is_refused(tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="marian") as caught:
        import_model(tmp_path, toolkit="marain")
    assert caught.value.value == "marain"


def test_the_golden_models_are_small() -> None:
    assert sum(path.stat().st_size for path in MODELS.rglob("*") if path.is_file()) < 1_500 * 1024


def test_a_folder_with_a_single_model_stands_for_it(tmp_path) -> None:
    (tmp_path / "model.npz").write_bytes(b"no arrays")
    with pytest.raises(DamagedSourceError, match="arrays") as refused:
        import_model(tmp_path)
    assert refused.value.path == tmp_path / "model.npz"
    (tmp_path / "other.npz").write_bytes(b"")
    with pytest.raises(DamagedSourceError, match=r"model\.npz, other\.npz"):
        import_model(tmp_path)


def test_a_model_of_nmt_lstm_needs_no_import(tmp_path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    for path in (tmp_path, Path("builtin:en-ja")):
        with pytest.raises(DamagedSourceError, match="-m"):
            import_model(path)


def test_files_that_may_be_vocabularies_of_marian_are_named(tmp_path) -> None:
    for name in ("vocab.de.spm", "vocab.en.yml", "train.log"):
        (tmp_path / name).touch()
    with pytest.raises(DamagedSourceError, match="vocab.de.spm, vocab.en.yml") as refused:
        find_vocabularies(tmp_path / "model.npz", {}, [])
    assert "train.log" not in str(refused.value)
