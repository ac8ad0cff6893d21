"""Each corpus's prepare.py: works from a clean clone, says what is missing, and knows the real files."""

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
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [python, str(script), *map(str, arguments)]
    return subprocess.run(
        command, cwd=script.anchor, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(params=CORPORA)
def script(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The script alone, as it lies in a clean clone."""
    folder = tmp_path / "clone" / "data" / request.param
    folder.mkdir(parents=True)
    return Path(shutil.copyfile(ROOT / "data" / request.param / "prepare.py", folder / "prepare.py"))


def test_all_corpora_are_looked_at() -> None:
    assert CORPORA == ["iwslt15_envi", "multi30k", "small_parallel_enja", "wmt16_ende"]


def test_files_that_are_missing_are_named_in_one_line(script, tmp_path) -> None:
    finished = prepare(script, "--from", tmp_path)
    assert finished.returncode == 1
    assert re.fullmatch(
        r"error: '.*' has neither (\S+) nor \1.gz; name the folder that has with --from\.\n", finished.stderr
    )
    assert finished.stdout == ""


def test_help_says_where_the_files_go(script) -> None:
    finished = prepare(script, "--help")
    assert finished.returncode == 0
    assert "--from FOLDER" in finished.stdout
    assert str(script.parent / "raw") in re.sub(r"\n +", "", finished.stdout)


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter that has nothing installed."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True, with_pip=False)
    return str(folder / "bin" / "python")


def test_without_the_package_it_says_what_to_install(script, tmp_path, bare_python) -> None:
    finished = prepare(script, "--from", tmp_path, python=bare_python)
    assert finished.returncode == 1
    assert re.fullmatch(
        r"error: .*python has no nmt_lstm\. Install nmt-lstm \(see README\.md\) and .*\n", finished.stderr
    )


@pytest.mark.parametrize("corpus", CORPORA)
def test_what_is_known_of_each_file_makes_sense(corpus) -> None:
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


def placed(script: Path, source: Path) -> dict[str, bytes]:
    finished = prepare(script, "--from", source)
    assert finished.returncode == 0, finished.stderr
    missing = finished.stdout.count(" left out; training does not need it")
    assert finished.stdout.count("(checked)") == len(finished.stdout.splitlines()) - missing
    return {path.name: path.read_bytes() for path in (script.parent / "raw").iterdir()}


@pytest.mark.corpora
@pytest.mark.parametrize("script", ["multi30k"], indirect=True)
def test_multi30k_at_hand_is_placed(script, corpora) -> None:
    source = corpora / "multi30k"
    found = placed(script, source)
    assert len(found) == 6
    assert all(content == (source / name).read_bytes() for name, content in found.items())


@pytest.mark.corpora
@pytest.mark.parametrize("script", ["small_parallel_enja"], indirect=True)
def test_small_parallel_enja_at_hand_is_placed(script, corpora) -> None:
    found = placed(script, corpora / "enja")
    assert found["train.ja"].count(b"\n") == 50_000
    assert found["dev.en"] == (corpora / "enja" / "dev.en").read_bytes()


@pytest.mark.corpora
@pytest.mark.parametrize("script", ["multi30k"], indirect=True)
def test_a_changed_file_at_hand_is_refused_unless_forced(script, corpora, tmp_path) -> None:
    shutil.copytree(corpora / "multi30k", tmp_path / "mine")
    changed = tmp_path / "mine" / "val.en"
    changed.write_bytes(changed.read_bytes().replace(b"cotton", b"wool"))
    finished = prepare(script, "--from", tmp_path / "mine")
    assert finished.returncode == 1
    digest = hashlib.sha256(changed.read_bytes()).hexdigest()
    assert f"error: val.en has the sha256 {digest} where" in finished.stderr
    assert not (script.parent / "raw" / "val.en").exists()
    finished = prepare(script, "--from", tmp_path / "mine", "--force")
    assert finished.returncode == 0
    assert (script.parent / "raw" / "val.en").read_bytes() == changed.read_bytes()


@pytest.mark.parametrize(
    ("corpus", "line", "mended"),
    [
        ("iwslt15_envi", "I &apos;m &quot; fine &quot; &amp; well", 'I \'m " fine " & well'),
        ("wmt16_ende", "a rich ##AT##-##AT## text format &apos;s", "a rich-text format 's"),
    ],
)
def test_tokenisers_marks_are_mended(corpus, line, mended) -> None:
    script = runpy.run_path(str(ROOT / "data" / corpus / "prepare.py"))
    mend = script.get("mend") or script["html"].unescape
    assert mend(line) == mended
