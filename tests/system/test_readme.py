"""The commands and programs that README and the guide to Python show are run as they stand, on a tiny text."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BLOCK = re.compile(
    r"^<!-- tested(?:: (?P<file>\S+))? -->\n```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# Five steps instead of the trainings' own length; everything else is README's text.
SHORTER = """
nmt-lstm() {
    if [ "$1" = train ]; then command nmt-lstm "$@" --set training.max_steps=5; else command nmt-lstm "$@"; fi
}
"""


def run_block(language: str, code: str, folder: Path) -> None:
    """Run one block of README in `folder`."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    commands = {"sh": ["bash", "-euc", SHORTER + code], "python": [sys.executable, "-c", code]}
    finished = subprocess.run(
        commands[language],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, f"{code}\n{finished.stderr}"


@pytest.mark.slow
def test_readme_works(repository, parallel_files, tmp_path) -> None:
    names = {
        "train_source": "train.de",
        "train_target": "train.en",
        "valid_source": "val.de",
        "valid_target": "val.en",
    }
    for attribute, name in names.items():
        shutil.copy(getattr(parallel_files, attribute), tmp_path / name)
    shutil.copy(parallel_files.valid_source, tmp_path / "test.de")
    shutil.copy(parallel_files.valid_target, tmp_path / "test.en")

    for document, least in (("README.md", 6), ("docs/python.md", 2)):
        blocks = list(BLOCK.finditer((repository / document).read_text(encoding="utf-8")))
        assert len(blocks) >= least
        for block in blocks:
            if block["file"]:
                (tmp_path / block["file"]).write_text(block["code"], encoding="utf-8")
            else:
                run_block(block["language"], block["code"], tmp_path)
        shutil.copy(tmp_path / "runs" / "de-en" / "run.toml", tmp_path)


def test_links_of_the_documents_lead_somewhere(repository) -> None:
    documents = [
        repository / "README.md",
        repository / "CONTRIBUTING.md",
        *sorted((repository / "docs").glob("*.md")),
    ]
    broken = []
    for document in documents:
        prose = re.sub(
            r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
        )
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", prose):
            if not (document.parent / target).exists():
                broken.append(f"{document.name}: {target}")
    assert not broken
