"""The comparison with other toolkits: recorder, text, commands, findings and failures."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nmt_lstm import Translator

PEERS = ("peer_opennmt:OpenNMT", "peer_eole:Eole", "peer_joeynmt:JoeyNMT")
PROGRAM = """
import torch
layer = torch.nn.Linear(3, 2)
torch.optim.lr_scheduler.ReduceLROnPlateau(torch.optim.SGD([torch.zeros(1)], 0.1), verbose=True)
optimizer = torch.optim.Adam(layer.parameters())
for _ in range(4):
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
"""


@pytest.fixture
def module(repository, monkeypatch):
    """Return a function that imports a module of the benchmarks."""
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module


def run_recorded(repository: Path, folder: Path) -> Path:
    (folder / "four_steps.py").write_text(PROGRAM, "utf-8")
    words = ["-P", repository / "benchmarks" / "peer_recorded.py", folder / "steps.txt", "four_steps"]
    subprocess.run([sys.executable, *words], check=True, env={"PYTHONPATH": str(folder)}, timeout=120)
    return folder / "steps.txt"


def test_the_recorder_writes_parameters_and_step_times(module, repository, tmp_path) -> None:
    begin = time.monotonic()
    record = module("peer_runner").Record.read(run_recorded(repository, tmp_path))
    assert record.parameters == 3 * 2 + 2
    assert len(record.wall) == len(record.processor) == 4
    assert begin < record.wall[0] < record.wall[-1] < time.monotonic()
    assert list(record.processor) == sorted(record.processor)


def test_a_record_needs_a_step_and_ignores_an_incomplete_line(module, tmp_path) -> None:
    runner, process = module("peer_runner"), module("peer_process")
    with pytest.raises(process.ToolkitError, match="no step was taken"):
        runner.Record.read(tmp_path / "none.txt")
    (tmp_path / "cut.txt").write_text("8\n1.0 0.5\n2.0 0.7\n3.0", "utf-8")
    assert runner.Record.read(tmp_path / "cut.txt").wall == (1.0, 2.0)


def test_a_failed_process_is_described_by_its_last_line(module, tmp_path) -> None:
    process = module("peer_process")
    (tmp_path / "in.txt").write_text("a line\n", "utf-8")
    command = process.Command(
        (sys.executable, "-c", "print(input() * 2)"), tmp_path / "in.txt", tmp_path / "out.txt"
    )
    usage = process.run(command, folder=tmp_path, log=tmp_path / "log.txt", time_limit=60)
    assert (tmp_path / "out.txt").read_text("utf-8") == "a linea line\n"
    assert usage.seconds > 0
    assert usage.peak_bytes > 2**20
    failing = process.Command((sys.executable, "-c", "raise SystemExit('first\\ncannot go on')"))
    with pytest.raises(process.ToolkitError, match="status 1: cannot go on"):
        process.run(failing, folder=tmp_path, log=tmp_path / "log.txt", time_limit=60)


def test_a_process_ends_at_its_time_limit(module, tmp_path) -> None:
    process = module("peer_process")
    command = process.Command((sys.executable, "-c", "import time; time.sleep(600)"))
    arguments = {"folder": tmp_path, "log": tmp_path / "log.txt", "time_limit": 0.2}
    assert process.run(command, **arguments, may_be_ended=True).ended_by_limit
    with pytest.raises(process.ToolkitError, match="ended after 0 s"):
        process.run(command, **arguments)


def test_findings_have_medians_and_failures(module) -> None:
    process, row = module("peer_process"), module("report").Row
    findings = module("peer_findings").Findings("core 7")
    calls = []

    def fail() -> list:
        calls.append("failed")
        raise process.ToolkitError("no such cell")

    for value in (1.0, 5.0, 2.0):
        findings.measure("this", "training", fail)
        findings.measure(
            "that", "training", lambda value=value: [row("speed", value, "pieces/s", "ends included")]
        )
    rows = findings.rows()
    assert calls == ["failed"]
    assert rows[0].what == "training: speed, that"
    assert rows[0].value == 2.0
    assert rows[0].counted == "ends included; core 7; median of 3, 1.00 to 5.00"
    assert rows[1] == row("training, this", 0, "failed", "no such cell")


class NamedRunner:
    """A runner with a name and a default wiring."""

    def __init__(self, name: str, feeds_by_default: bool) -> None:
        self.name, self.feeds_by_default = name, feeds_by_default


def test_ratios_are_taken_by_round_and_inverted_for_memory(module) -> None:
    row, findings = module("report").Row, module("peer_findings").Findings("core 7")
    for ours, theirs in ((30.0, 10.0), (40.0, 20.0), (50.0, 10.0)):
        findings.measure("mine", "no input feeding", lambda x=ours: [row("training", x, "pieces/s", "")])
        findings.measure("other", "input feeding", lambda x=theirs: [row("training", x, "pieces/s", "")])
    for name, what, mebibytes in (("mine", "no input feeding", 100.0), ("other", "input feeding", 150.0)):
        findings.measure(name, what, lambda x=mebibytes: [row("training, memory", x, "MiB", "")])
    toolkits = [NamedRunner("mine", False)], [NamedRunner("other", True), NamedRunner("not measured", True)]
    result = {each.what: each for each in module("peer_ratios").ratios(findings, *toolkits)}
    assert set(result) == {
        "ratio, training, each with its defaults: mine to other",
        "ratio, memory of training, each with its defaults: other to mine",
    }
    speed = result["ratio, training, each with its defaults: mine to other"]
    assert (speed.value, speed.unit) == (3.0, "times")
    assert speed.counted == "in the same round; median of 3, 2.00 to 5.00"
    assert result["ratio, memory of training, each with its defaults: other to mine"].value == 1.5


def test_a_deadline_in_the_past_is_an_error(module) -> None:
    process, deadline = module("peer_process"), module("peer_runner").Deadline
    assert 0 < deadline(60).remaining() <= 60
    with pytest.raises(process.ToolkitError, match="not begun: the 0 minutes"):
        deadline(0).remaining()


def test_an_environment_that_cannot_be_built_is_not_built(module, tmp_path, monkeypatch) -> None:
    environments = module("peer_environments")
    # pip finds nothing, as without a network.
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    nothing = environments.Requirements("nothing", "nothing==0.0.0", ())
    with pytest.raises(environments.EnvironmentBuildError, match="torch"):
        environments.build(tmp_path, nothing, 120)
    assert not environments.is_built(tmp_path, nothing)
    with pytest.raises(environments.EnvironmentBuildError, match="does not respond"):
        environments.versions(tmp_path / "no-python")


def test_an_environment_may_be_without_torch(module, tmp_path, monkeypatch) -> None:
    environments = module("peer_environments")
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    without = environments.Requirements("without", "nothing==0.0.0", (), uses_torch=False)
    with pytest.raises(environments.EnvironmentBuildError, match="nothing==0.0.0"):
        environments.build(tmp_path, without, 120)
    assert without.reported == ("nothing",)
    # An environment with torch does not meet requirements without it.
    (tmp_path / "without" / environments.RECORD).write_text(
        json.dumps(environments.record_of(environments.Requirements("without", "nothing==0.0.0", ()))),
        "utf-8",
    )
    assert not environments.is_built(tmp_path, without)


def test_split_text_is_counted_and_can_be_joined(module, parallel_files, tmp_path) -> None:
    peer_text = module("peer_text")
    text = module("text").Text(
        "numbers",
        parallel_files.train_source,
        parallel_files.train_target,
        parallel_files.valid_source,
        parallel_files.valid_target,
        parallel_files.valid_source,
    )
    pieces = peer_text.split(text, tmp_path, 160)
    assert pieces.sample.pairs == 160
    sources = pieces.sample.side("train.source").read_text("utf-8").splitlines()
    assert len(set(sources)) == 160
    targets = pieces.whole.side("train.target").read_text("utf-8").splitlines()
    assert pieces.whole.target_pieces == sum(len(line.split()) + 1 for line in targets)
    vocabulary = set(pieces.whole.vocabulary.read_text("utf-8").splitlines())
    assert {piece for line in targets for piece in line.split()} <= vocabulary
    assert (
        peer_text.join(tmp_path, pieces.test) == parallel_files.valid_source.read_text("utf-8").splitlines()
    )


def test_a_score_needs_a_translation_of_each_line(module, tmp_path) -> None:
    peer_text = module("peer_text")
    (tmp_path / "reference.en").write_text("a small dog runs fast\na big house stands there\n", "utf-8")
    (tmp_path / "short.txt").write_text("a small dog runs fast\n", "utf-8")
    score, signature = peer_text.score_lines(tmp_path / "reference.en", tmp_path / "reference.en")
    assert score == pytest.approx(100.0)
    assert "tok:13a" in signature
    with pytest.raises(ValueError, match="1 translations of 2 lines"):
        peer_text.score_lines(tmp_path / "short.txt", tmp_path / "reference.en")


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("feeding", [False, True])
def test_each_toolkit_gets_the_shared_network(module, tmp_path, peer, feeding) -> None:
    shared = module("peer_toolkit")
    name, _, kind = peer.partition(":")
    toolkit = getattr(module(name), kind)()
    text = shared.SplitText(tmp_path / "text", 160, 2_000)
    training = shared.Training(tmp_path, text, feeding, 4, 2)
    command = toolkit.train_command(tmp_path / "python", training)
    assert command.words[:3] == (tmp_path / "python", "-P", shared.RECORDER)
    configuration_text = (tmp_path / "train.yaml").read_text("utf-8")
    for size in (shared.EMBEDDING, shared.DECODER, shared.BATCH_SENTENCES):
        assert str(size) in configuration_text
    feeds = [line for line in configuration_text.splitlines() if "input_feed" in line]
    assert len(feeds) == 1
    assert feeds[0].split(":")[1].strip(" ,") in (("1", "true") if feeding else ("0", "false"))
    translation = shared.Translation(
        tmp_path, tmp_path / "m", tmp_path / "in.txt", tmp_path / "out.txt", 5, 11
    )
    command = toolkit.translate_command(tmp_path / "python", translation)
    text_of_command = " ".join(map(str, command.words))
    configuration = tmp_path / "out.yaml"
    text_of_command += configuration.read_text("utf-8") if configuration.exists() else ""
    assert "11" in text_of_command
    assert str(tmp_path / "m") in text_of_command


def test_pieces_of_steps_come_from_the_plan_of_batches(module, parallel_files, tmp_path) -> None:
    ours = module("peer_ours")
    settings = {
        "data.train_source": str(parallel_files.train_source),
        "data.train_target": str(parallel_files.train_target),
        "data.valid_source": str(parallel_files.valid_source),
        "data.valid_target": str(parallel_files.valid_target),
        "data.prepared": str(tmp_path),
        "training.batch_pieces": "200",
        "training.epochs": "3",
    }
    result = ours.pieces_of_steps(settings, 1_000)
    assert max(result) <= 200
    per_epoch = len(result) // 3
    assert sum(result[:per_epoch]) == sum(result[per_epoch : 2 * per_epoch])


@pytest.mark.slow
@pytest.mark.long
def test_a_quick_comparison_needs_no_other_toolkit(repository, tmp_path) -> None:
    output = tmp_path / "figures.json"
    words = ["peers", "--quick", "--json", output, "--text", tmp_path, "--cache", tmp_path / "none"]
    words += ["--work", tmp_path / "work"]
    finished = subprocess.run(
        [sys.executable, repository / "benchmarks" / "run.py", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        cwd=tmp_path,
    )
    assert finished.returncode == 0, finished.stderr
    figures = json.loads(output.read_text("utf-8"))["figures"]
    measured = {each["what"] for each in figures if each["unit"] != "failed"}
    assert "no input feeding: training, nmt-lstm" in measured
    failed = {each["what"]: each["counted"] for each in figures if each["unit"] == "failed"}
    absent = {what for what, reason in failed.items() if "--quick installs none" in reason}
    assert {what.partition(", ")[2].split()[0] for what in absent} == {
        "OpenNMT-py",
        "Eole",
        "JoeyNMT",
        "Marian",
    }
    # On a busy machine, the difference between a long and a short file may be lost in the noise of startup.
    undecided = {what for what, reason in failed.items() if "too few lines" in reason}
    assert set(failed) == absent | undecided
    for search in ("beam 5", "greedy"):
        was_measured = f"no input feeding, {search}: translation, nmt-lstm" in measured
        assert was_measured != (f"no input feeding, {search}, nmt-lstm" in undecided)
    # All translations have the same length, whatever the beam.
    translator = Translator.load(tmp_path / "work" / "nmt-lstm" / "untrained-plain" / "model", device="cpu")
    for beam_size in (1, 5):
        result = translator.translate(["a dog", "two big cats sleep"], beam_size=beam_size)
        assert [len(each.pieces) for each in result] == [11, 11]
