"""Virtual environments of the other toolkits, installed from PyPI with the same version of torch."""

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
    """A toolkit cannot be installed; the message is the last output of pip."""


@dataclass(frozen=True)
class Requirements:
    """The content of an environment.

    Args:
        name: name of its folder.
        toolkit: the distribution with its version, installed without its requirements.
        needed: distributions that it needs to train, translate and answer ``--help``, besides torch.
        uses_torch: whether it needs torch.
    """

    name: str
    toolkit: str
    needed: tuple[str, ...]
    uses_torch: bool = True

    @property
    def torch(self) -> tuple[str, ...]:
        """The pinned torch, if it is used."""
        return (TORCH,) if self.uses_torch else ()

    @property
    def reported(self) -> tuple[str, ...]:
        """Distributions whose versions are reported."""
        return ("torch", "numpy") if self.uses_torch else (self.toolkit.partition("==")[0],)


def python_of(cache: Path, requirements: Requirements) -> Path:
    """Return the interpreter of an environment."""
    return cache / requirements.name / ("Scripts" if os.name == "nt" else "bin") / "python"


def is_built(cache: Path, requirements: Requirements) -> bool:
    """Whether the environment is complete and has these requirements."""
    try:
        return json.loads((cache / requirements.name / RECORD).read_text(encoding="utf-8")) == record_of(
            requirements
        )
    except (OSError, ValueError):
        return False


def build(cache: Path, requirements: Requirements, time_limit: float) -> None:
    """Build an environment unless it is complete.

    torch is installed first and pinned in each later step, so that a toolkit cannot replace it. The toolkit is installed
    without its requirements, since these contradict the pin or each other.

    Raises:
        EnvironmentBuildError: a package cannot be installed, or the time is over.
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
                lines = finished.stderr.strip().splitlines() or ["pip failed without output"]
                raise EnvironmentBuildError(" ".join(lines[-2:]))
    except subprocess.TimeoutExpired:
        raise EnvironmentBuildError(f"not installed in {time_limit:,.0f} s") from None
    # Written last, so that an incomplete environment is rebuilt.
    (folder / RECORD).write_text(json.dumps(record_of(requirements)) + "\n", encoding="utf-8")


def versions(python: Path) -> dict[str, str]:
    """Return the versions of all installed distributions.

    Raises:
        EnvironmentBuildError: the interpreter does not respond.
    """
    program = (
        "import importlib.metadata, json;"
        "print(json.dumps({d.metadata['Name']: d.version for d in importlib.metadata.distributions()}))"
    )
    try:
        finished = subprocess.run(
            [python, "-c", program], capture_output=True, text=True, check=True, timeout=120
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EnvironmentBuildError(f"{python} does not respond: {error}") from None
    installed: dict[str, str] = json.loads(finished.stdout)
    return installed


def record_of(requirements: Requirements) -> dict[str, object]:
    """Return what the file RECORD has about an environment with these requirements."""
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "torch": TORCH if requirements.uses_torch else None,
        "toolkit": requirements.toolkit,
        "needed": list(requirements.needed),
    }
