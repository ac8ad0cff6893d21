"""``nmt-lstm probe``: over which distances does a cell remember? Small tasks, several cells, a plot and a table."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import Annotated

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import Plugins, load_plugins
from nmt_lstm.cli.probe_session import ProbeSession
from nmt_lstm.errors import ConfigurationError

__all__ = ["probe"]

EXAMPLE = """\b
Examples:
  nmt-lstm probe --cells rnn,gru,lstm --tasks adding,copy -o probes
  nmt-lstm probe --cells lstm,lstm:forget_bias=5 --lengths 200 \\
      --seeds 1,2,3 -o probes
  nmt-lstm probe --plugin mgu.py --cells mgu,lstm -o probes"""


def probe(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where results, plots and report are written."),
    ],
    cells: Annotated[
        str,
        typer.Option(
            "--cells",
            metavar="NAMES",
            help="Cells: names or package.module:Class, with options as in lstm:forget_bias=5.",
        ),
    ] = "rnn,gru,lstm",
    tasks: Annotated[
        str,
        typer.Option("--tasks", metavar="NAMES", help="Of adding, copy, parity, dyck, sort, sine; or all."),
    ] = "adding,copy",
    lengths: Annotated[
        str, typer.Option("--lengths", metavar="NUMBERS", help="Distances to remember over.")
    ] = "50,100,200",
    seeds: Annotated[
        str, typer.Option("--seeds", metavar="NUMBERS", help="Each run is done once with each.")
    ] = "1",
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, metavar="N", help="Processes, of one thread. [default: the cores]"),
    ] = None,
    steps: Annotated[
        int, typer.Option("--steps", min=1, metavar="N", help="Training steps per learning rate, at most.")
    ] = 6000,
    learning_rates: Annotated[
        str,
        typer.Option("--learning-rates", metavar="NUMBERS", help="Each is tried until one solves the task."),
    ] = "0.01,0.001",
    hidden_size: Annotated[
        int, typer.Option("--hidden-size", min=1, metavar="N", help="Width of the cell.")
    ] = 64,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, metavar="N", help="Sequences per step.")
    ] = 20,
    clip_norm: Annotated[
        float,
        typer.Option(
            "--clip-norm", min=0.0, metavar="N", help="Largest norm of the gradients; 0 lets them explode."
        ),
    ] = 1.0,
    time_limit: Annotated[
        str,
        typer.Option("--time-limit", metavar="TIME", help="Processor time of a run, such as 90s or 10m."),
    ] = "2m",
    plugin: Plugins = None,
) -> None:
    """Train cells on memory tasks of growing length: what does each remember, and over which distance?

    What is finished is kept in FOLDER: the same command goes on where it stopped, another one adds to it.
    """
    rates, seconds = tuple(_rates(learning_rates)), _seconds(time_limit)
    chosen_cells, chosen_tasks = _names(cells, "--cells"), _names(tasks, "--tasks")
    chosen_lengths, chosen_seeds = _numbers(lengths, "--lengths", 1), _numbers(seeds, "--seeds", 0)
    early_checks.check_report_folder(output)
    if not plugin:
        early_checks.check_cells(chosen_cells)
    load_plugins(plugin)
    from nmt_lstm.lab.probes.catalogue import TASKS
    from nmt_lstm.lab.probes.results_file import ResultsFile
    from nmt_lstm.lab.probes.run import ProbeSettings, plan_runs
    from nmt_lstm.numerics.threads import usable_cores

    settings = ProbeSettings(
        hidden_size=hidden_size,
        batch_size=batch_size,
        learning_rates=rates,
        clip_norm=_finite(clip_norm),
        steps=steps,
        time_limit=seconds,
    )
    runs = plan_runs(
        chosen_cells,
        list(TASKS) if chosen_tasks == ["all"] else chosen_tasks,
        chosen_lengths,
        chosen_seeds,
        settings,
    )
    results = ResultsFile(output)
    words = ["--cells", cells, "--tasks", tasks, "--lengths", lengths, "--seeds", seeds]
    usual = ProbeSettings()
    changed = [
        ("--steps", str(steps), settings.steps != usual.steps),
        ("--learning-rates", learning_rates, settings.learning_rates != usual.learning_rates),
        ("--hidden-size", str(hidden_size), settings.hidden_size != usual.hidden_size),
        ("--batch-size", str(batch_size), settings.batch_size != usual.batch_size),
        ("--clip-norm", f"{clip_norm:g}", settings.clip_norm != usual.clip_norm),
        ("--time-limit", time_limit, settings.time_limit != usual.time_limit),
    ]
    words += [word for option, value, other in changed if other for word in (option, value)]
    words += [word for file in plugin or [] for word in ("--plugin", str(file))]
    session = ProbeSession(runs, command=shlex.join(["nmt-lstm", "probe", *words, "-o", str(output)]))
    with results.alone():
        session.perform(results, jobs or usable_cores(), plugin or [])


def _names(text: str, option: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ConfigurationError(f"{option} names nothing; write names with commas between them.")
    return names


def _numbers(text: str, option: str, least: int) -> list[int]:
    numbers = []
    for word in _names(text, option):
        if not word.isascii() or not word.isdecimal() or not least <= int(word) <= 100_000:
            raise ConfigurationError(
                f"{option}: '{word}' is no whole number from {least} to 100,000; write numbers with commas between "
                f"them, such as 50,100,200."
            )
        numbers.append(int(word))
    return numbers


def _rates(text: str) -> list[float]:
    rates = []
    for word in _names(text, "--learning-rates"):
        try:
            rate = float(word)
        except ValueError:
            rate = 0.0
        if not 0.0 < rate <= 10.0:
            raise ConfigurationError(
                f"--learning-rates: '{word}' is no number above 0, up to 10; write numbers with commas between them, "
                f"such as 0.01,0.001."
            )
        rates.append(rate)
    return rates


def _finite(clip_norm: float) -> float:
    if not math.isfinite(clip_norm):
        raise ConfigurationError(
            f"--clip-norm is {clip_norm}; give a number above 0, or 0 to leave gradients as they are."
        )
    return clip_norm


def _seconds(text: str) -> float:
    from nmt_lstm.config.duration import parse_duration

    try:
        seconds = parse_duration(text)
    except ValueError as problem:
        raise ConfigurationError(f"--time-limit '{text}' {problem}.") from None
    if seconds is None:
        raise ConfigurationError("--time-limit is empty; give a duration such as 2m.")
    return seconds
