"""A text of millions of pairs on one machine: time and memory of preparing, training on and translating it.

Preparation is also killed and continued, and its result compared. The pairs are generated, in a temporary folder, which needs
300 bytes of disk for each. Processor times are those of all processes; other work on the machine changes only the others.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from long_text import write_text
from peer_text import in_process
from processes import Cost, nmt_lstm
from report import Row

MEBIBYTE = 2**20
VALIDATION_LINES = 500
# A network so small that memory and time of the text are not hidden behind it.
TINY = {
    "model.embedding_size": "16",
    "model.encoder.hidden_size": "16",
    "model.decoder.hidden_size": "16",
    "training.batch_pieces": "1000",
    "search.beam_size": "1",
}


class Files(NamedTuple):
    """A generated text, and where a run of it is."""

    source: Path
    target: Path
    valid_source: Path
    valid_target: Path
    folder: Path

    def text_options(self) -> list[str | Path]:
        """Return the options of commands that name the text."""
        valid = ("--valid-source", self.valid_source, "--valid-target", self.valid_target)
        return ["-s", self.source, "-t", self.target, *valid, "-o", self.folder / "model"]

    def store(self) -> Path:
        """Return the prepared text."""
        (store,) = (self.folder / "prepared").glob("[0-9a-f]*")
        return store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--pairs", type=int, default=1_000_000, metavar="N", help="pairs of the text")
    parser.add_argument("--lines", type=int, default=100_000, metavar="N", help="lines to translate")
    parser.add_argument("--steps", type=int, default=100, metavar="N", help="steps to train")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="where the temporary folder is made")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes for preparation")


def measure(options: argparse.Namespace) -> list[Row]:
    """Prepare, train and translate, and return times and memory, for a tenth of the pairs, too."""
    pairs, lines, steps = (4_000, 100, 6) if options.quick else (options.pairs, options.lines, options.steps)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        for count in (pairs,) if options.quick else (pairs // 10, pairs):
            files = generate(Path(name) / str(count), count)
            rows += prepare(files, count, options.jobs)
            rows += continue_killed(files, count, options.jobs)
            rows += start_epochs(files, count)
            rows += train(files, count, steps)
        rows += translate(files, lines)
        rows += resume_translation(files, pairs)
    return rows


def generate(folder: Path, pairs: int) -> Files:
    """Write a text, and other text for validation."""
    folder.mkdir()
    source, target, valid_source, valid_target = (
        folder / name for name in ("train.a", "train.b", "valid.a", "valid.b")
    )
    files = Files(source, target, valid_source, valid_target, folder)
    write_text(files.source, files.target, pairs)
    write_text(files.valid_source, files.valid_target, VALIDATION_LINES)
    return files


def prepare(files: Files, pairs: int, jobs: int) -> list[Row]:
    """Return the speed and memory of preparation; the vocabulary is learnt, too."""
    cost = nmt_lstm("prepare", *files.text_options(), "--jobs", str(jobs), watch=0.2)
    rates = f"{pairs / cost.processor_seconds:,.0f} a processor second"
    return [
        Row(f"prepare {pairs:,}", pairs / cost.wall_seconds, "pairs/s", f"{jobs} processes, vocabulary included; {rates}"),
        *_memory(cost, "all processes together"),
    ]  # fmt: skip


def continue_killed(files: Files, pairs: int, jobs: int) -> list[Row]:
    """Kill preparation while it splits the text, continue it, and return the share of the time that this took."""
    whole, folder = digest(files.store()), files.folder / "killed"
    words = [str(each) for each in files.text_options()[:-1]] + [str(folder / "model"), "--jobs", str(jobs)]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "nmt_lstm", "prepare", *words], stderr=subprocess.DEVNULL
    )
    kept = folder / "prepared"
    while process.poll() is None:
        # The decisions have a byte for each pair that is done.
        if any(bytes_of(path) > 0.6 * pairs for path in kept.glob(".*.unfinished/kept")):
            process.kill()
            process.wait()
    seconds = time.perf_counter() - begin
    cost = nmt_lstm("prepare", *words)
    (store,) = kept.glob("[0-9a-f]*")
    if digest(store) != whole:
        raise SystemExit("scale: the continued preparation has a different result")
    counted = f"after SIGKILL at {seconds:,.1f} s; the result is identical"
    return [Row("  continued", cost.wall_seconds, "s", counted)]


def bytes_of(path: Path) -> int:
    """Return the size of a file; 0 if it is renamed at the same time."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def digest(store: Path) -> dict[str, str]:
    """Return the checksums of prepared text."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in store.glob("*.json")}


def start_epochs(files: Files, pairs: int) -> list[Row]:
    """Return the time until the first batch of an epoch, and until that in the middle of one."""
    opening, first, middle, size = in_process(epoch_times, files.store())
    return [
        Row("  open the store", opening, "s", "processor time, checksums of all files included"),
        Row("  start an epoch", first, "s", "processor time: shuffling, sorting, first batch"),
        Row("  start in its middle", middle, "s", "processor time: the same, as a resumed run"),
        Row(
            "  memory of an epoch", size / pairs, "bytes/pair", "largest allocated memory while it is planned"
        ),
    ]


def epoch_times(store: Path) -> tuple[float, float, float, int]:
    """Return the seconds to open a store, to the first batch and to one in the middle of an epoch, and bytes of memory."""
    import tracemalloc

    from nmt_lstm.batching.loader import BatchLoader, plan_batches
    from nmt_lstm.text.token_store import TokenStore

    times = [time.process_time()]
    pieces = TokenStore.open(store)
    times.append(time.process_time())
    for share in (0.0, 0.5):
        loader = BatchLoader(pieces, plan_batches(pieces, batch_pieces=12_000, seed=1, epoch=3))
        loader.load_state_dict({"epoch": 3, "position": int(share * len(loader))})
        next(iter(loader))
        times.append(time.process_time())
    opening, first, middle = (after - before for before, after in itertools.pairwise(times))
    tracemalloc.start()
    plan_batches(pieces, batch_pieces=12_000, seed=1, epoch=3)
    return opening, first, middle, tracemalloc.get_traced_memory()[1]


def train(files: Files, pairs: int, steps: int) -> list[Row]:
    """Return the memory of training, and the time of a run that is resumed for one step."""
    settings = [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]
    command = ["train", *files.text_options(), *settings, "--set", "training.checkpoint_every=5"]
    cost = nmt_lstm(*command, "--set", f"training.max_steps={steps}", watch=0.2)
    resumed = nmt_lstm(*command, "--resume", "--set", f"training.max_steps={steps + 1}")
    counted = "processor time of a run that resumes in the middle of an epoch, for one step and a validation"
    return [
        *_memory(cost, f"training, {steps} steps on {pairs:,} pairs"),
        Row("  resumed training", resumed.processor_seconds, "s", counted),
    ]


def translate(files: Files, lines: int) -> list[Row]:
    """Return the speed and memory of translating the source side with a tiny model."""
    source = files.folder / "lines"
    with files.source.open("rb") as text, source.open("wb") as written:
        written.writelines(line for _, line in zip(range(lines), text, strict=False))
    arguments = ("-m", files.folder / "model", "-i", source, "-o", files.folder / "translation", "--resume")
    cost = nmt_lstm("translate", *arguments, watch=0.2)
    half = len(cost.resident_bytes) // 2
    first, second = (
        max(each, default=0) / MEBIBYTE for each in (cost.resident_bytes[:half], cost.resident_bytes[half:])
    )
    return [
        Row(f"translate {lines:,}", lines / cost.processor_seconds, "lines/s", "of processor time, untrained tiny model"),
        *_memory(cost, f"first half {first:,.0f} MiB, second half {second:,.0f} MiB"),
    ]  # fmt: skip


def resume_translation(files: Files, lines: int) -> list[Row]:
    """Return the time of a translation of all lines of which only the last part is missing."""
    output = files.folder / "all"
    arguments = ("translate", "-m", files.folder / "model", "-i", files.source, "-o", output, "--resume")
    process = subprocess.Popen(
        [sys.executable, "-m", "nmt_lstm", *map(str, arguments)], stderr=subprocess.DEVNULL
    )
    job = output.with_name("all.parts") / "job.json"
    while process.poll() is None and not job.exists():
        time.sleep(0.05)
    process.kill()
    process.wait()
    complete = in_process(complete_all_but_one, output, job)
    cost = nmt_lstm(*arguments, watch=0.2)
    counted = f"processor time of --resume, {complete:,} of {complete + 1:,} parts complete, and merging"
    return [Row(f"resume of {lines:,}", cost.processor_seconds, "s", counted), *_memory(cost, "of that")]


def complete_all_but_one(output: Path, file: Path) -> int:
    """Write parts as if they had been translated; return their number."""
    from nmt_lstm.files.checksums import parse_checked
    from nmt_lstm.files.output_parts import Job, OutputParts

    values = parse_checked(file.read_bytes())
    parts = OutputParts(output, Job(values["lines"], values["part_lines"], values["facts"]))
    for part in range(parts.job.parts - 1):
        parts.write(part, b"Ten words or so are in such a line of text.\n" * len(parts.job.line_range(part)))
    return parts.job.parts - 1


def _memory(cost: Cost, counted: str) -> list[Row]:
    # The peak of a process begins at that of this one, and leaves out the processes that it starts.
    largest = max(cost.resident_bytes, default=cost.peak_bytes)
    return [Row("  memory", largest / MEBIBYTE, "MiB", f"peak resident memory; {counted}")]
