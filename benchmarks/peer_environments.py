"""Virtual environments of the other toolkits: each from PyPI, those that use torch with the same one, in a cache folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

TORCH = "torch==2.13.0"
RECORD = "benchmark-environment.json"


class EnvironmentBuildError(Exception):
    """A toolkit cannot be installed here; the message is pip's last lines."""


@dataclass(frozen=True)
class Requirements:
    """What an environment holds.

    Args:
        name: of its folder.
        toolkit: the distribution, with its version; installed without what it asks for.
        needed: what it really needs to train, translate and answer ``--help``, without torch.
        uses_torch: whether torch is installed for it.
    """

    name: str
    toolkit: str
    needed: tuple[str, ...]
    uses_torch: bool = True

    @property
    def torch(self) -> tuple[str, ...]:
        """The pinned torch, or nothing."""
        return (TORCH,) if self.uses_torch else ()

    @property
    def reported(self) -> tuple[str, ...]:
        """The distributions whose versions belong to the figures."""
        return ("torch", "numpy") if self.uses_torch else (self.toolkit.partition("==")[0],)


def python_of(cache: Path, requirements: Requirements) -> Path:
    """The interpreter of an environment."""
    return cache / requirements.name / ("Scripts" if os.name == "nt" else "bin") / "python"


def is_built(cache: Path, requirements: Requirements) -> bool:
    """Whether the environment is there, whole, and made from these requirements."""
    try:
        return json.loads((cache / requirements.name / RECORD).read_text(encoding="utf-8")) == _record(
            requirements
        )
    except (OSError, ValueError):
        return False


def build(cache: Path, requirements: Requirements, time_limit: float) -> None:
    """Make an environment, or leave it as it is where it is whole.

    torch comes first and is pinned in each later step, so that no toolkit's own pin can bring another one; the
    toolkit comes without its requirements, since those contradict the pin or one another.

    Raises:
        EnvironmentBuildError: a package cannot be had or the time is over.
    """
    if is_built(cache, requirements):
        return
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / requirements.name
    venv.create(folder, clear=True, with_pip=True)
    try:
        torch = requirements.torch
        for words in (torch, ("--no-deps", requirements.toolkit), (*torch, *requirements.needed)):
            if not words:
                continue
            finished = subprocess.run(
                [python_of(cache, requirements), "-m", "pip", "install", "--quiet", *words],
                capture_output=True,
                text=True,
                check=False,
                timeout=time_limit,
            )
            if finished.returncode:
                lines = finished.stderr.strip().splitlines() or ["pip failed without a word"]
                raise EnvironmentBuildError(" ".join(lines[-2:]))
    except subprocess.TimeoutExpired:
        raise EnvironmentBuildError(f"not installed in {time_limit:,.0f} s") from None
    # Last, so that an environment cut short is made anew.
    (folder / RECORD).write_text(json.dumps(_record(requirements)) + "\n", encoding="utf-8")


def versions(python: Path) -> dict[str, str]:
    """What is installed beside an interpreter, by distribution.

    Raises:
        EnvironmentBuildError: the interpreter does not answer.
    """
    program = (
        "import importlib.metadata, json;"
        "print(json.dumps({d.metadata['Name']: d.version for d in importlib.metadata.distributions()}))"
    )
    try:
        found = subprocess.run(
            [python, "-c", program], capture_output=True, text=True, check=True, timeout=120
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EnvironmentBuildError(f"{python} does not answer: {error}") from None
    installed: dict[str, str] = json.loads(found.stdout)
    return installed


def _record(requirements: Requirements) -> dict[str, object]:
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "torch": TORCH if requirements.uses_torch else None,
        "toolkit": requirements.toolkit,
        "needed": list(requirements.needed),
    }
