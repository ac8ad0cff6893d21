"""Each corpus's prepare.py works in a clean clone, reports missing files, and knows the real ones."""

from __future__ import annotations

import hashlib
import os
import re
import runpy
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORPORA = sorted(script.parent.name for script in (ROOT / "data").glob("*/prepare.py"))


def prepare(
    script: Path, *arguments: object, python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    """Run a script outside the source tree."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [python, str(script), *map(str, arguments)]
    return subprocess.run(
        command, cwd=script.anchor, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(params=CORPORA)
def script(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The script alone, as in a clean clone."""
    folder = tmp_path / "clone" / "data" / request.param
    folder.mkdir(parents=True)
    return Path(shutil.copyfile(ROOT / "data" / request.param / "prepare.py", folder / "prepare.py"))


def test_all_corpora_are_tested() -> None:
    assert CORPORA == ["iwslt15_envi", "multi30k", "small_parallel_enja", "wmt16_ende"]


def test_missing_files_are_named_in_one_line(script, tmp_path) -> None:
    finished = prepare(script, "--from", tmp_path)
    assert finished.returncode == 1
    assert re.fullmatch(r"error: '.*' has neither (\S+) nor \1.gz; .*\n", finished.stderr)
    assert finished.stdout == ""


def test_help_names_the_folder_of_the_files(script) -> None:
    finished = prepare(script, "--help")
    assert finished.returncode == 0
    assert "--from FOLDER" in finished.stdout
    assert str(script.parent / "raw") in re.sub(r"\n +", "", finished.stdout)


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter without installed packages."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True, with_pip=False)
    return str(folder / "bin" / "python")


def test_without_the_package_the_script_says_what_to_install(script, tmp_path, bare_python) -> None:
    finished = prepare(script, "--from", tmp_path, python=bare_python)
    assert finished.returncode == 1
    assert re.fullmatch(r"error: .*python cannot import nmt_lstm; install nmt-lstm .*\n", finished.stderr)


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_descriptions_of_files_are_consistent(corpus) -> None:
    files = runpy.run_path(str(ROOT / "data" / corpus / "prepare.py"))["FILES"]
    assert len({file.name for file in files}) == len(files)
    lines: dict[str, int] = {}
    for file in files:
        split, _, language = file.name.rpartition(".")
        assert language in {"de", "en", "ja", "vi"}
        assert file.url.startswith("https://")
        assert file.url.endswith((f"/{file.name}", f"/{file.name}.gz"))
        assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert lines.setdefault(split, file.lines) == file.lines
    assert len(files) == 2 * len(lines)


def installed(script: Path, source: Path) -> dict[str, bytes]:
    """Install local files with a script; return their contents by name."""
    finished = prepare(script, "--from", source)
    assert finished.returncode == 0, finished.stderr
    missing = finished.stdout.count(" skipped; training does not need it")
    assert finished.stdout.count("(checked)") == len(finished.stdout.splitlines()) - missing
    return {path.name: path.read_bytes() for path in (script.parent / "raw").iterdir()}


@pytest.mark.corpora
@pytest.mark.parametrize("script", ["multi30k"], indirect=True)
def test_local_files_of_multi30k_are_installed(script, corpora) -> None:
    source = corpora / "multi30k"
    contents = installed(script, source)
    assert len(contents) == 6
    assert all(content == (source / name).read_bytes() for name, content in contents.items())


@pytest.mark.corpora
@pytest.mark.parametrize("script", ["small_parallel_enja"], indirect=True)
def test_local_files_of_small_parallel_enja_are_installed(script, corpora) -> None:
    contents = installed(script, corpora / "enja")
    assert contents["train.ja"].count(b"\n") == 50_000
    assert contents["dev.en"] == (corpora / "enja" / "dev.en").read_bytes()


@pytest.mark.corpora
@pytest.mark.parametrize("script", ["multi30k"], indirect=True)
def test_a_changed_local_file_is_refused_unless_forced(script, corpora, tmp_path) -> None:
    shutil.copytree(corpora / "multi30k", tmp_path / "mine")
    changed = tmp_path / "mine" / "val.en"
    changed.write_bytes(changed.read_bytes().replace(b"cotton", b"wool"))
    finished = prepare(script, "--from", tmp_path / "mine")
    assert finished.returncode == 1
    digest = hashlib.sha256(changed.read_bytes()).hexdigest()
    assert f"error: val.en has the SHA-256 {digest}" in finished.stderr
    assert not (script.parent / "raw" / "val.en").exists()
    finished = prepare(script, "--from", tmp_path / "mine", "--force")
    assert finished.returncode == 0
    assert (script.parent / "raw" / "val.en").read_bytes() == changed.read_bytes()


@pytest.mark.parametrize(
    ("corpus", "line", "corrected"),
    [
        ("iwslt15_envi", "I &apos;m &quot; fine &quot; &amp; well", 'I \'m " fine " & well'),
        ("wmt16_ende", "a rich ##AT##-##AT## text format &apos;s", "a rich-text format 's"),
    ],
)
def test_marks_of_tokenizers_are_removed(corpus, line, corrected) -> None:
    script = runpy.run_path(str(ROOT / "data" / corpus / "prepare.py"))
    fix_line = script.get("join_hyphens") or script["html"].unescape
    assert fix_line(line) == corrected
