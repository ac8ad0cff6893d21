"""The comparison with other toolkits: what it counts and writes, and that no failure of one stops the others."""

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
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module


def run_recorded(repository: Path, folder: Path) -> Path:
    (folder / "four_steps.py").write_text(PROGRAM, "utf-8")
    words = ["-P", repository / "benchmarks" / "peer_recorded.py", folder / "steps.txt", "four_steps"]
    subprocess.run([sys.executable, *words], check=True, env={"PYTHONPATH": str(folder)}, timeout=120)
    return folder / "steps.txt"


def test_recorder_writes_parameters_and_a_time_for_each_step(module, repository, tmp_path) -> None:
    begin = time.monotonic()
    record = module("peer_runner").Record.read(run_recorded(repository, tmp_path))
    assert record.parameters == 3 * 2 + 2
    assert len(record.wall) == len(record.processor) == 4
    assert begin < record.wall[0] < record.wall[-1] < time.monotonic()
    assert list(record.processor) == sorted(record.processor)


def test_record_without_a_step_or_with_half_a_line(module, tmp_path) -> None:
    runner, process = module("peer_runner"), module("peer_process")
    with pytest.raises(process.ToolkitError, match="no step was taken"):
        runner.Record.read(tmp_path / "none.txt")
    (tmp_path / "cut.txt").write_text("8\n1.0 0.5\n2.0 0.7\n3.0", "utf-8")
    assert runner.Record.read(tmp_path / "cut.txt").wall == (1.0, 2.0)


def test_process_is_measured_and_its_last_words_are_its_failure(module, tmp_path) -> None:
    process = module("peer_process")
    (tmp_path / "in.txt").write_text("a line\n", "utf-8")
    command = process.Command(
        (sys.executable, "-c", "print(input() * 2)"), tmp_path / "in.txt", tmp_path / "out.txt"
    )
    spent = process.run(command, folder=tmp_path, log=tmp_path / "log.txt", time_limit=60)
    assert (tmp_path / "out.txt").read_text("utf-8") == "a linea line\n"
    assert spent.seconds > 0
    assert spent.peak_bytes > 2**20
    failing = process.Command((sys.executable, "-c", "raise SystemExit('first\\ncannot go on')"))
    with pytest.raises(process.ToolkitError, match="status 1: cannot go on"):
        process.run(failing, folder=tmp_path, log=tmp_path / "log.txt", time_limit=60)


def test_process_is_ended_at_its_limit(module, tmp_path) -> None:
    process = module("peer_process")
    command = process.Command((sys.executable, "-c", "import time; time.sleep(600)"))
    arguments = {"folder": tmp_path, "log": tmp_path / "log.txt", "time_limit": 0.2}
    assert process.run(command, **arguments, may_be_ended=True).ended_by_limit
    with pytest.raises(process.ToolkitError, match="ended after 0 s"):
        process.run(command, **arguments)


def test_findings_keep_medians_and_failures_and_go_on(module) -> None:
    process, row = module("peer_process"), module("report").Row
    findings = module("peer_findings").Findings("core 7")
    calls = []

    def fail() -> list:
        calls.append("failed")
        raise process.ToolkitError("no such cell")

    for value in (1.0, 5.0, 2.0):
        findings.note("this", "training", fail)
        findings.note(
            "that", "training", lambda value=value: [row("speed", value, "pieces/s", "END included")]
        )
    rows = findings.rows()
    assert calls == ["failed"]
    assert rows[0].what == "training: speed, that"
    assert rows[0].value == 2.0
    assert rows[0].counted == "END included; core 7; median of 3, 1.00 to 5.00"
    assert rows[1] == row("training, this", 0, "failed", "no such cell")


class Named:
    def __init__(self, name: str, feeds_by_default: bool) -> None:
        self.name, self.feeds_by_default = name, feeds_by_default


def test_ratios_are_taken_round_by_round_and_turned_where_less_is_better(module) -> None:
    row, findings = module("report").Row, module("peer_findings").Findings("core 7")
    for ours, theirs in ((30.0, 10.0), (40.0, 20.0), (50.0, 10.0)):
        findings.note("mine", "no input feeding", lambda x=ours: [row("training", x, "pieces/s", "")])
        findings.note("other", "input feeding", lambda x=theirs: [row("training", x, "pieces/s", "")])
    for name, what, mebibytes in (("mine", "no input feeding", 100.0), ("other", "input feeding", 150.0)):
        findings.note(name, what, lambda x=mebibytes: [row("training, memory", x, "MiB", "")])
    toolkits = [Named("mine", False)], [Named("other", True), Named("not measured", True)]
    found = {each.what: each for each in module("peer_ratios").ratios(findings, *toolkits)}
    assert set(found) == {
        "ratio, training, each as it comes: mine to other",
        "ratio, memory of training, each as it comes: other to mine",
    }
    speed = found["ratio, training, each as it comes: mine to other"]
    assert (speed.value, speed.unit) == (3.0, "times")
    assert speed.counted == "in the same round; median of 3, 2.00 to 5.00"
    assert found["ratio, memory of training, each as it comes: other to mine"].value == 1.5


def test_deadline_says_that_the_time_is_spent(module) -> None:
    process, deadline = module("peer_process"), module("peer_runner").Deadline
    assert 0 < deadline(60).left() <= 60
    with pytest.raises(process.ToolkitError, match=r"not begun: the 0 minutes of --minutes are spent"):
        deadline(0).left()


def test_environment_that_cannot_be_built_is_no_environment(module, tmp_path, monkeypatch) -> None:
    environments = module("peer_environments")
    # pip finds nothing: no network is needed to see what happens without one.
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    nothing = environments.Requirements("nothing", "nothing==0.0.0", ())
    with pytest.raises(environments.EnvironmentBuildError, match="torch"):
        environments.build(tmp_path, nothing, 120)
    assert not environments.is_built(tmp_path, nothing)
    with pytest.raises(environments.EnvironmentBuildError, match="does not answer"):
        environments.versions(tmp_path / "no-python")


def test_environment_without_torch_asks_for_none(module, tmp_path, monkeypatch) -> None:
    environments = module("peer_environments")
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    without = environments.Requirements("without", "nothing==0.0.0", (), uses_torch=False)
    with pytest.raises(environments.EnvironmentBuildError, match="nothing==0.0.0"):
        environments.build(tmp_path, without, 120)
    assert without.reported == ("nothing",)
    # What was built with torch is not what is asked for now.
    (tmp_path / "without" / environments.RECORD).write_text(
        json.dumps(environments._record(environments.Requirements("without", "nothing==0.0.0", ()))), "utf-8"
    )
    assert not environments.is_built(tmp_path, without)


def test_split_text_counts_its_pieces_and_comes_together_again(module, parallel_files, tmp_path) -> None:
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


def test_score_needs_a_translation_of_each_line(module, tmp_path) -> None:
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
def test_each_toolkit_is_given_the_shared_network(module, tmp_path, peer, feeding) -> None:
    shared = module("peer_toolkit")
    name, _, kind = peer.partition(":")
    toolkit = getattr(module(name), kind)()
    text = shared.SplitText(tmp_path / "text", 160, 2_000)
    training = shared.Training(tmp_path, text, feeding, 4, 2)
    command = toolkit.train_command(tmp_path / "python", training)
    assert command.words[:3] == (tmp_path / "python", "-P", shared.RECORDER)
    written = (tmp_path / "train.yaml").read_text("utf-8")
    for size in (shared.EMBEDDING, shared.DECODER, shared.BATCH_SENTENCES):
        assert str(size) in written
    feeds = [line for line in written.splitlines() if "input_feed" in line]
    assert len(feeds) == 1
    assert feeds[0].split(":")[1].strip(" ,") in (("1", "true") if feeding else ("0", "false"))
    translation = shared.Translation(
        tmp_path, tmp_path / "m", tmp_path / "in.txt", tmp_path / "out.txt", 5, 11
    )
    command = toolkit.translate_command(tmp_path / "python", translation)
    told = " ".join(map(str, command.words))
    configuration = tmp_path / "out.yaml"
    told += configuration.read_text("utf-8") if configuration.exists() else ""
    assert "11" in told
    assert str(tmp_path / "m") in told


def test_own_steps_are_counted_from_the_plan_of_batches(module, parallel_files, tmp_path) -> None:
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
    found = ours.pieces_of_steps(settings, 1_000)
    assert max(found) <= 200
    per_epoch = len(found) // 3
    assert sum(found[:per_epoch]) == sum(found[per_epoch : 2 * per_epoch])


@pytest.mark.slow
def test_quick_comparison_needs_no_other_toolkit(repository, tmp_path) -> None:
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
    # On a busy machine the difference between a long and a short file can be less than the noise of the start.
    undecided = {what for what, reason in failed.items() if "too few lines" in reason}
    assert set(failed) == absent | undecided
    for search in ("beam 5", "greedy"):
        was_measured = f"no input feeding, {search}: translation, nmt-lstm" in measured
        assert was_measured != (f"no input feeding, {search}, nmt-lstm" in undecided)
    # Speeds are those of translations of one length, whatever the beam.
    translator = Translator.load(tmp_path / "work" / "nmt-lstm" / "untrained-plain" / "model", device="cpu")
    for beam_size in (1, 5):
        found = translator.translate(["a dog", "two big cats sleep"], beam_size=beam_size)
        assert [len(each.pieces) for each in found] == [11, 11]
