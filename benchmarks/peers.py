"""Comparison with JoeyNMT, Eole, OpenNMT-py and Marian: the same network, text and search, alternating on one core.

The first run installs the other toolkits from PyPI into virtual environments in --cache. Each runs with its own commands;
target pieces and the times of updates are counted independently of its log. Translation speeds are differences between a
long and a short file. Without --wall no network is trained long enough to end its sentences, so each translation is forced
to 11 pieces. A failure is a row with its reason. See docs/peers.md.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from peer_eole import Eole
from peer_findings import Findings
from peer_joeynmt import JoeyNMT
from peer_marian import Marian
from peer_marian_runners import Int8MarianRunner, MarianRunner
from peer_opennmt import OpenNMT
from peer_other_runner import PeerRunner
from peer_our_runners import OURS, ExportedRunner, OurRunner
from peer_ours import variants
from peer_process import ToolkitError, pin
from peer_ratios import SEARCHES, WIRINGS, ratios
from peer_runner import Deadline, Runner
from peer_text import Pieces, in_process, reference, split
from peer_toolkit import BATCH_SENTENCES, DIRECTION
from report import Row, is_avx2
from text import Text, find_text

PEERS = (OpenNMT(), Eole(), JoeyNMT())
MARIAN = Marian()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument(
        "--cache", type=Path, default=Path("build/peers"), metavar="FOLDER", help="folder of the environments"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=90.0,
        metavar="N",
        help="time limit for everything, including installation",
    )
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="rounds in which each toolkit is measured once"
    )
    parser.add_argument(
        "--pairs", type=int, default=800, metavar="N", help="pairs of text for measuring training speed"
    )
    parser.add_argument(
        "--lines", type=int, default=1_000, metavar="N", help="the most lines for measuring translation speed"
    )
    parser.add_argument(
        "--core", type=int, default=-1, metavar="N", help="core to run on; by default the last one"
    )
    parser.add_argument(
        "--only",
        default="",
        metavar="NAMES",
        help="toolkits, separated by commas: nmt-lstm,opennmt,eole,joeynmt,marian",
    )
    parser.add_argument(
        "--wall",
        default="",
        metavar="TIMES",
        help="also train for these times, such as 10m,20m, and score (in addition to --minutes)",
    )
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep models and logs there")


def measure(options: argparse.Namespace) -> list[Row]:
    """Install missing toolkits, measure in rounds, and return measurements and failures."""
    if options.quick:
        options.rounds, options.pairs, options.lines = 1, 2 * BATCH_SENTENCES, 320
    wirings = (False,) if options.quick else (True, False)
    times = [_seconds(each) for each in options.wall.split(",") if each]
    selected = _selected(options.only)
    deadline = Deadline(60 * options.minutes)
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    core = options.core if options.core >= 0 else usable[-1]
    if core not in usable:
        raise SystemExit(f"--core takes one of {', '.join(map(str, usable))}, not {core}")
    pinned = pin(core)
    os.environ["OMP_NUM_THREADS"] = "1"
    location = f"core {core}" if pinned else "no core of its own"
    if is_avx2():
        # Marian has a separate limit for 8-bit products.
        os.environ["INTGEMM_CPUID"] = "AVX2"
        location += ", AVX2 mode"
    findings = Findings(location)
    with _work_folder(options.work) as folder:
        text = find_text(options.text)
        pieces: Pieces = in_process(split, text, folder / "text", options.pairs)
        ours = _ours(text, pieces, folder, deadline)[: 1 if options.quick else None]
        others = [PeerRunner(each, options.cache, pieces, folder, deadline) for each in PEERS]
        others += _marians(options.cache, pieces, folder, deadline)
        runners: list[Runner] = [each for each in (*ours, *others) if each.key in selected]
        ready = [each for each in runners if _is_ready(each, findings, may_install=not options.quick)]
        for runner in ready:
            # Files from an earlier run in --work must not be mistaken for new ones.
            shutil.rmtree(runner.folder, ignore_errors=True)
        for _ in range(options.rounds):
            _round(ready, findings, wirings, options.lines)
        for runner in ready:
            wiring = runner.feeds_by_default
            for seconds in times if runner.learns else ():
                what = f"{WIRINGS[wiring]}, {seconds:,.0f} s of training"
                findings.measure(runner.name, what, runner.learn, wiring, seconds, times, reference(text))
        return [*ratios(findings, ours, others), *findings.rows()]


def _ours(text: Text, pieces: Pieces, folder: Path, deadline: Deadline) -> list[OurRunner]:
    network, float32, wide = variants(text, folder / "prepared")
    default = OurRunner(network, pieces, folder, deadline)
    return [
        default,
        # By default it translates in float32.
        OurRunner(float32, pieces, folder, deadline, translates=False, learns=False),
        OurRunner(wide, pieces, folder, deadline, learns=False),
        ExportedRunner(default, "exported", "--shortlist", "0"),
        ExportedRunner(default, "exported with shortlist"),
    ]


def _marians(cache: Path, pieces: Pieces, folder: Path, deadline: Deadline) -> list[PeerRunner]:
    wide = MarianRunner(MARIAN, cache, pieces, folder, deadline)
    # With this width its encoder equals that of the others, and its decoder is half as wide.
    narrow = replace(MARIAN, name=f"{MARIAN.name}, width {DIRECTION}", width=DIRECTION)
    return [
        wide,
        Int8MarianRunner(wide),
        MarianRunner(narrow, cache, pieces, folder, deadline, learns=False),
    ]


def _round(runners: list[Runner], findings: Findings, wirings: tuple[bool, ...], lines: int) -> None:
    for runner in runners:
        if runner.trains:
            findings.measure(runner.name, "--help", runner.help)
    for feeding in wirings:
        for runner in runners:
            if runner.trains:
                findings.measure(runner.name, WIRINGS[feeding], runner.train, feeding)
    for runner in runners:
        wiring = runner.feeds_by_default
        for beam, search in SEARCHES.items() if runner.translates else ():
            what = f"{WIRINGS[wiring]}, {search}"
            findings.measure(runner.name, what, runner.translate, wiring, beam, lines)


def _selected(only: str) -> set[str]:
    known = {OURS, MARIAN.requirements.name, *(peer.requirements.name for peer in PEERS)}
    names = {name.strip() for name in only.split(",")} - {""} or known
    if names - known:
        unknown = ", ".join(sorted(names - known))
        raise SystemExit(f"--only takes {', '.join(sorted(known))}, separated by commas; not '{unknown}'")
    return names


def _is_ready(runner: Runner, findings: Findings, *, may_install: bool) -> bool:
    try:
        findings.add_versions(runner.name, runner.prepare(may_install=may_install))
    except ToolkitError as failure:
        findings.add_failure(runner.name, "not measured", str(failure))
        return False
    return True


def _seconds(time: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600}
    if not time[:-1].isdigit() or time[-1] not in units:
        raise SystemExit(f"--wall takes times such as 90s, 10m or 1h, not '{time}'")
    return float(time[:-1]) * units[time[-1]]


@contextlib.contextmanager
def _work_folder(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()
    else:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
