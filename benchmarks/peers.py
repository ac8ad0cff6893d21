"""The same network, text and search in this toolkit and in JoeyNMT, Eole, OpenNMT-py and Marian, in turn on one core.

The first run installs the others from PyPI into virtual environments below --cache. Each is run by its own commands;
target pieces are counted from the text and from the times of parameter updates, never from a toolkit's log. Speeds of
translation are the difference between a long and a short file. Without --wall no network is trained far enough to
end its sentences, so each translation is made to have 11 pieces. What fails is a row that says why. See docs/peers.md.
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
from peer_text import Pieces, apart, reference, split
from peer_toolkit import BATCH_SENTENCES, DIRECTION
from processor_mode import is_avx2
from report import Row
from text import Text, find_text

PEERS = (OpenNMT(), Eole(), JoeyNMT())
MARIAN = Marian()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument(
        "--cache", type=Path, default=Path("build/peers"), metavar="FOLDER", help="of the environments"
    )
    parser.add_argument(
        "--minutes", type=float, default=90.0, metavar="N", help="bound of the whole, installing included"
    )
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="times that all are measured in turn"
    )
    parser.add_argument(
        "--pairs", type=int, default=800, metavar="N", help="of the text on which speed is measured"
    )
    parser.add_argument(
        "--lines", type=int, default=1_000, metavar="N", help="translated to measure speed, at most"
    )
    parser.add_argument(
        "--core", type=int, default=-1, metavar="N", help="to run on; the last one unless given"
    )
    parser.add_argument(
        "--only",
        default="",
        metavar="NAMES",
        help="of toolkits, by comma: nmt-lstm,opennmt,eole,joeynmt,marian",
    )
    parser.add_argument(
        "--wall",
        default="",
        metavar="TIMES",
        help="also train this long, such as 10m,20m, and score (outside --minutes)",
    )
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keep models and logs there")


def measure(options: argparse.Namespace) -> list[Row]:
    """Install what is missing, measure in turn, and return figures and failures."""
    if options.quick:
        options.rounds, options.pairs, options.lines = 1, 2 * BATCH_SENTENCES, 320
    wirings = (False,) if options.quick else (True, False)
    times = [_seconds(each) for each in options.wall.split(",") if each]
    chosen = _chosen(options.only)
    deadline = Deadline(60 * options.minutes)
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    core = options.core if options.core >= 0 else usable[-1]
    if core not in usable:
        raise SystemExit(f"--core takes one of {', '.join(map(str, usable))}, not {core}")
    pinned = pin(core)
    os.environ["OMP_NUM_THREADS"] = "1"
    where = f"core {core}" if pinned else "no core of its own"
    if is_avx2():
        # The products of 8-bit numbers in Marian have a limit of their own.
        os.environ["INTGEMM_CPUID"] = "AVX2"
        where += ", AVX2 mode"
    findings = Findings(where)
    with _folder(options.work) as folder:
        text = find_text(options.text)
        pieces: Pieces = apart(split, text, folder / "text", options.pairs)
        ours = _ours(text, pieces, folder, deadline)[: 1 if options.quick else None]
        others = [PeerRunner(each, options.cache, pieces, folder, deadline) for each in PEERS]
        others += _marians(options.cache, pieces, folder, deadline)
        runners: list[Runner] = [each for each in (*ours, *others) if each.key in chosen]
        ready = [each for each in runners if _is_ready(each, findings, may_install=not options.quick)]
        for runner in ready:
            # What an earlier run left in --work is not to be taken for what this one makes.
            shutil.rmtree(runner.folder, ignore_errors=True)
        for _ in range(options.rounds):
            _round(ready, findings, wirings, options.lines)
        for runner in ready:
            wiring = runner.feeds_by_default
            for seconds in times if runner.learns else ():
                what = f"{WIRINGS[wiring]}, {seconds:,.0f} s of training"
                findings.note(runner.name, what, runner.learn, wiring, seconds, times, reference(text))
        return [*ratios(findings, ours, others), *findings.rows()]


def _ours(text: Text, pieces: Pieces, folder: Path, deadline: Deadline) -> list[OurRunner]:
    network, float32, wide = variants(text, folder / "prepared")
    as_it_comes = OurRunner(network, pieces, folder, deadline)
    return [
        as_it_comes,
        # It translates in float32 as it comes.
        OurRunner(float32, pieces, folder, deadline, translates=False, learns=False),
        OurRunner(wide, pieces, folder, deadline, learns=False),
        ExportedRunner(as_it_comes, "exported", "--shortlist", "0"),
        ExportedRunner(as_it_comes, "exported with shortlist"),
    ]


def _marians(cache: Path, pieces: Pieces, folder: Path, deadline: Deadline) -> list[PeerRunner]:
    as_wide = MarianRunner(MARIAN, cache, pieces, folder, deadline)
    # Its encoder is then that of the others, its decoder half as wide.
    narrow = replace(MARIAN, name=f"{MARIAN.name}, width {DIRECTION}", width=DIRECTION)
    return [
        as_wide,
        Int8MarianRunner(as_wide),
        MarianRunner(narrow, cache, pieces, folder, deadline, learns=False),
    ]


def _round(runners: list[Runner], findings: Findings, wirings: tuple[bool, ...], lines: int) -> None:
    for runner in runners:
        if runner.trains:
            findings.note(runner.name, "--help", runner.help)
    for feeding in wirings:
        for runner in runners:
            if runner.trains:
                findings.note(runner.name, WIRINGS[feeding], runner.train, feeding)
    for runner in runners:
        wiring = runner.feeds_by_default
        for beam, search in SEARCHES.items() if runner.translates else ():
            what = f"{WIRINGS[wiring]}, {search}"
            findings.note(runner.name, what, runner.translate, wiring, beam, lines)


def _chosen(only: str) -> set[str]:
    known = {OURS, MARIAN.requirements.name, *(peer.requirements.name for peer in PEERS)}
    asked = {name.strip() for name in only.split(",")} - {""} or known
    if asked - known:
        unknown = ", ".join(sorted(asked - known))
        raise SystemExit(f"--only takes {', '.join(sorted(known))}, by comma; not '{unknown}'")
    return asked


def _is_ready(runner: Runner, findings: Findings, *, may_install: bool) -> bool:
    try:
        findings.facts(runner.name, runner.make_ready(may_install=may_install))
    except ToolkitError as failure:
        findings.fail(runner.name, "not measured", str(failure))
        return False
    return True


def _seconds(time: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600}
    if not time[:-1].isdigit() or time[-1] not in units:
        raise SystemExit(f"--wall takes times such as 90s, 10m or 1h, not '{time}'")
    return float(time[:-1]) * units[time[-1]]


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
    else:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
