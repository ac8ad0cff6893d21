"""Runs a module and records the time of each optimizer step: ``python -P peer_recorded.py FILE MODULE WORDS...``.

-P keeps modules of this folder from replacing those of a toolkit. The recorder depends only on torch, so all toolkits are
timed alike, whatever they log. The first line of FILE is the number of parameters; each further line has wall time
(`time.monotonic`) and processor time (`time.process_time`) after a step.
"""

from __future__ import annotations

import functools
import runpy
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.optimizer import register_optimizer_step_post_hook


def record_steps(path: Path) -> None:
    """Write a line to `path` after each step of any optimizer of this process."""
    stream = path.open("w", encoding="utf-8", buffering=1)

    def record(optimizer: torch.optim.Optimizer, *_: object) -> None:
        wall, processor = time.monotonic(), time.process_time()
        if not stream.tell():
            tensors = {id(each): each for group in optimizer.param_groups for each in group["params"]}
            stream.write(f"{sum(each.numel() for each in tensors.values())}\n")
        stream.write(f"{wall} {processor}\n")

    register_optimizer_step_post_hook(record)


def accept_verbose() -> None:
    """Accept ``verbose=`` in ReduceLROnPlateau, which torch 2.7 removed and JoeyNMT 2.3.0 passes."""
    original = ReduceLROnPlateau.__init__

    @functools.wraps(original)
    def build(self: ReduceLROnPlateau, *positional: Any, verbose: bool = False, **named: Any) -> None:
        del verbose
        original(self, *positional, **named)

    ReduceLROnPlateau.__init__ = build  # type: ignore[method-assign]


def main() -> None:
    """Run the program."""
    path, module, *words = sys.argv[1:]
    torch.set_num_threads(1)
    record_steps(Path(path))
    accept_verbose()
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
