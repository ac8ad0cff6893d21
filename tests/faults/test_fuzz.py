"""Damaged and hostile files and lines: each is refused by name, or harmless; never a traceback, a hang or a lost line.

`NMT_LSTM_FUZZ` is the number of cases of each kind. A seed that fails is in the test's message.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import shutil
import time
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from mutation import damaged_bytes, damaged_values

from nmt_lstm.cli.app import main
from nmt_lstm.config.load import dump_toml, load_run
from nmt_lstm.config.toml_writer import toml_value
from nmt_lstm.errors import NmtLstmError
from nmt_lstm.files.checksums import checked_json, parse_checked, with_checksum, without_checksum
from nmt_lstm.inference.translator import Translator

pytestmark = pytest.mark.slow
CASES = int(os.environ.get("NMT_LSTM_FUZZ", "60"))
MAX_SECONDS = 5.0
"""Of the processor, so that a busy machine does not count."""


def toml_text(values: dict, prefix: str = "") -> str:
    """Return values as TOML, whatever they are."""
    plain = [
        f"{key} = {toml_value(value)}\n"
        for key, value in values.items()
        if not isinstance(value, dict) and value is not None
    ]
    tables = [
        f"[{prefix}{key}]\n" + toml_text(value, f"{prefix}{key}.")
        for key, value in values.items()
        if isinstance(value, dict)
    ]
    return "".join(plain + tables)


def reseal(folder: Path, name: str) -> None:
    """Make the checksums of a model folder right again, as an attacker would."""
    values = without_checksum(parse_checked((folder / "manifest.json").read_bytes()))
    content = (folder / name).read_bytes()
    values["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    with contextlib.suppress(NmtLstmError, ValueError):
        if name.startswith("subwords"):
            from nmt_lstm.text.subwords import Subwords

            subwords = Subwords.load(folder)
            values["vocabulary"] = {
                "source": subwords.source.fingerprint,
                "target": subwords.target.fingerprint,
            }
    (folder / "manifest.json").write_text(checked_json(values))


def damage(draw: random.Random, folder: Path) -> str:
    """Damage one file of a model folder; half of the time, its checksum is right."""
    path = draw.choice(sorted(path for path in folder.iterdir() if path.is_file()))
    content = path.read_bytes()
    with contextlib.suppress(ValueError, TypeError, AttributeError, NmtLstmError):  # what TOML cannot express
        if path.suffix == ".toml" and draw.random() < 0.7:
            path.write_text(toml_text(damaged_values(draw, tomllib.loads(content.decode()))))
        elif path.name == "manifest.json" and draw.random() < 0.7:
            path.write_text(checked_json(damaged_values(draw, without_checksum(parse_checked(content)))))
            return path.name
        elif path.suffix == ".json" and draw.random() < 0.5:
            path.write_text(json.dumps(damaged_values(draw, json.loads(content))))
        elif path.suffix == ".safetensors" and draw.random() < 0.5:
            size = int.from_bytes(content[:8], "little")
            head = json.dumps(damaged_values(draw, json.loads(content[8 : 8 + size]))).encode()
            path.write_bytes(len(head).to_bytes(8, "little") + head + content[8 + size :])
    if path.read_bytes() == content:
        path.write_bytes(damaged_bytes(draw, content))
    if path.name != "manifest.json" and draw.random() < 0.7:
        reseal(folder, path.name)
    return path.name


@contextlib.contextmanager
def case(seed: int, what: str, counts: Counter):
    """Count what happens to one case; anything but an error message of nmt-lstm, in time, fails the test."""
    start = time.process_time()
    try:
        yield
        counts[what, "harmless"] += 1
    except NmtLstmError:
        counts[what, "refused"] += 1
    except BaseException as error:
        pytest.fail(f"seed {seed}, {what}: {type(error).__name__}: {error}")
    assert time.process_time() - start < MAX_SECONDS, f"seed {seed}, {what}"


def refusals(counts: Counter) -> str:
    return f"{sum(count for (_, kind), count in counts.items() if kind == 'refused'):,} refused by name"


def test_damaged_model_folders(random_model_folder, tmp_path, counted):
    counts: Counter = Counter()
    for seed in range(CASES):
        draw, folder = random.Random(seed), tmp_path / "model"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(random_model_folder, folder)
        name = damage(draw, folder)
        with case(seed, name, counts):
            assert len(Translator.load(folder).translate(["eins zwei .", "drei"])) == 2
    assert sum(counts.values()) == CASES
    counted(f"{CASES:,} fuzzed model folders without traceback or hang ({refusals(counts)})")
    assert any(kind == "refused" for _, kind in counts)


def test_damaged_run_files(tiny_run, tmp_path, counted):
    text, counts, path = dump_toml(tiny_run), Counter(), tmp_path / "run.toml"
    for seed in range(CASES * 3):
        draw = random.Random(seed)
        path.write_bytes(damaged_bytes(draw, text.encode()))
        with contextlib.suppress(ValueError, TypeError, AttributeError, NmtLstmError):
            if draw.random() < 0.6:
                path.write_text(toml_text(damaged_values(draw, tomllib.loads(text))))
        with case(seed, "run.toml", counts):
            load_run(path)
    assert counts["run.toml", "refused"] > CASES
    counted(f"{3 * CASES:,} fuzzed run files without traceback or hang ({refusals(counts)})")


def quiet_main(*arguments: object) -> tuple[int, str]:
    """Run a command in this process, and return its status and what it wrote to stderr."""
    errors, output = io.StringIO(), io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(output):
        return main([str(argument) for argument in arguments]), errors.getvalue()


def test_damaged_boards(references, output_of, tmp_path, counted):
    (tmp_path / "src").write_text("\n".join(references) + "\n")
    (tmp_path / "hyp").write_text("\n".join(output_of(1, 0.3)) + "\n")
    board, copy = tmp_path / "board", tmp_path / "copy"
    create = ("init", board, "-s", tmp_path / "src", "-r", tmp_path / "src", "--source-language", "de")
    assert quiet_main("leaderboard", *create, "--target-language", "en")[0] == 0
    assert (
        quiet_main("leaderboard", "add", board, "--system", "one", "--hypotheses", tmp_path / "hyp")[0] == 0
    )
    statuses: Counter = Counter()
    for seed in range(CASES):
        draw = random.Random(seed)
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(board, copy)
        path = draw.choice(sorted(path for path in copy.rglob("*") if path.is_file()))
        content = path.read_bytes()
        path.write_bytes(damaged_bytes(draw, content))
        if path.suffix == ".jsonl" and draw.random() < 0.7:
            rows = [json.loads(row) for row in content.splitlines()]
            changed = damaged_values(draw, without_checksum(rows[0]))
            if isinstance(changed, dict):
                rows[0] = with_checksum(changed)
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        start = time.process_time()
        status, errors = quiet_main("leaderboard", "show", copy)
        assert "Traceback" not in errors, f"seed {seed}, {path.name}: {errors}"
        assert time.process_time() - start < MAX_SECONDS
        statuses[status] += 1
    assert statuses[0]
    assert statuses[1] + statuses[2]
    counted(
        f"{CASES:,} fuzzed boards without traceback or hang ({statuses[1] + statuses[2]:,} refused by name)"
    )


def hostile_line(draw: random.Random) -> bytes:
    """Return a line of random bytes, random characters, or words among them; without a line feed."""
    match draw.randrange(5):
        case 0:
            line = draw.randbytes(draw.randrange(60))
        case 1:
            line = "".join(chr(draw.randrange(1, 0xD800)) for _ in range(draw.randrange(40))).encode()
        case 2:
            line = "".join(
                chr(draw.choice((draw.randrange(0x10FFFF), 0x200B, 0xFEFF, 0x202E, 0x301))) for _ in range(20)
            ).encode("utf-8", "surrogatepass")
        case 3:
            line = b"eins " * draw.randrange(300)
        case _:
            line = b" ".join(
                draw.choice((b"eins", b"zwei", b"\x1b[2J", b"<b>", b"{x}", b"\t", b"")) for _ in range(12)
            )
    return line.replace(b"\n", b" ")


def test_any_bytes_in_as_many_lines_out_in_order(random_model_folder, tmp_path, counted):
    draw = random.Random(3)
    # A file whose first line is not text at all is refused.
    lines = [b"eins .", *(hostile_line(draw) for _ in range(CASES * 5))]
    (tmp_path / "in").write_bytes(b"".join(line + b"\n" for line in lines))
    command = ("translate", "-m", random_model_folder, "-b", 1, "--set", "search.max_source_pieces=60")
    status, errors = quiet_main(*command, "-i", tmp_path / "in", "-o", tmp_path / "out")
    assert (status, "Traceback" in errors) == (0, False)
    output = (tmp_path / "out").read_bytes().split(b"\n")[:-1]
    assert len(output) == len(lines)
    assert not any(
        set(line.decode()) & {chr(number) for number in (*range(32), *range(127, 160))} for line in output
    )
    # Lines alone have the same translations, so none was lost, doubled or moved.
    checked = 10 + CASES // 50
    for index in draw.sample(range(len(lines)), checked):
        (tmp_path / "one").write_bytes(lines[0] + b"\n" + lines[index] + b"\n")
        assert quiet_main(*command, "-i", tmp_path / "one", "-o", tmp_path / "one.out")[0] == 0
        assert (tmp_path / "one.out").read_bytes() == output[0] + b"\n" + output[index] + b"\n"
    counted(
        f"{len(output):,} lines of the translation of {len(lines):,} fuzzed lines; {checked} compared with themselves alone"
    )
