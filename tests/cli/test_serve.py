"""``nmt-lstm serve`` and ``nmt-lstm api-keys``: their options, and what prevents a server from starting."""

from __future__ import annotations

import builtins
import shutil
import socket

import pytest

from nmt_lstm.cli.app import main
from nmt_lstm.corpora.builtin import builtin_corpus_folder

pytest.importorskip("starlette")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list:
    """Do not run the server, but keep what it would have been given."""
    calls = []

    def serve(models, settings, ready) -> None:
        calls.append((models, settings))
        ready("http://127.0.0.1:5000")

    monkeypatch.setattr("nmt_lstm.server.run.serve", serve)
    return calls


def test_options_become_settings(started, capsys) -> None:
    arguments = ["--port", "0", "--workers", "3", "--char-limit", "7", "--rate", "9", "--access-log", "none"]
    assert main(["serve", "-m", "builtin:en-ja", *arguments, "--no-reload", "--whole-lines"]) == 0
    ((models, settings),) = started
    assert [(model.name, model.source, model.target) for model in models] == [("en-ja", "en", "ja")]
    assert settings.port == 0
    assert settings.workers == 3
    assert settings.limits.characters == 7
    assert settings.limits.rate == 9
    assert settings.access_log is None
    assert settings.reload_seconds == 0
    assert not settings.loading.split_sentences
    captured = capsys.readouterr()
    assert "http://127.0.0.1:5000" in captured.err
    assert "warning" not in captured.err


def test_there_is_one_worker_on_a_gpu_and_otherwise_one_per_core(started, monkeypatch) -> None:
    monkeypatch.setattr("nmt_lstm.numerics.threads.usable_cores", lambda: 8)
    for options, workers in (
        ([], 8),
        (["--threads", "3"], 2),
        (["--threads", "9"], 1),
        (["--device", "cuda"], 1),
    ):
        started.clear()
        assert main(["serve", "-m", "builtin:en-ja", *options]) == 0
        assert started[0][1].workers == workers


def test_other_addresses_without_keys_are_warned_about(started, tmp_path, capsys) -> None:
    keys = tmp_path / "keys.toml"
    assert main(["api-keys", "add", "me", "--file", str(keys)]) == 0
    for host, options, warned in (
        ("0.0.0.0", [], True),
        ("::", [], True),
        ("localhost", [], False),
        ("::1", [], False),
        ("0.0.0.0", ["--keys", str(keys)], False),
    ):
        capsys.readouterr()
        assert main(["serve", "-m", "builtin:en-ja", "--host", host, *options]) == 0
        assert ("warning" in capsys.readouterr().err) is warned


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch, capsys) -> None:
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == "py3langid":
            raise ImportError(name="py3langid")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["serve", "-m", "builtin:en-ja"]) == 1
    error = capsys.readouterr().err
    assert "py3langid" in error
    assert "[serve]" in error


def test_what_cannot_be_served_prevents_the_start(tmp_path, capsys) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(builtin_corpus_folder() / "model", damaged)
    (damaged / "model.safetensors").write_bytes(b"nothing")
    (tmp_path / "file").touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments, status, word in (
            (["-m", str(tmp_path / "missing")], 1, "missing"),
            (["-m", "builtin:en-jp"], 1, "builtin:en-ja"),
            (["-m", "builtin:en-ja", "-m", "builtin:en-ja"], 2, "twice"),
            (["-m", str(damaged), "--port", "0", "--workers", "1"], 1, "damaged"),
            (["-m", "builtin:en-ja", "--port", port], 1, port),
            (["-m", "builtin:en-ja", "--host", "no.such.host.invalid"], 1, "--host"),
            (["-m", "builtin:en-ja", "--keys", str(tmp_path / "no.toml")], 2, "no.toml"),
            (["-m", "builtin:en-ja", "--access-log", str(tmp_path / "file" / "log")], 2, "--access-log"),
            (["-m", "builtin:en-ja", "--log-texts", "--access-log", "none"], 2, "--log-texts"),
            (["-m", "builtin:en-ja", "--device", "tpu"], 2, "tpu"),
            (["-m", "builtin:en-ja", "--proxy", "nginx"], 2, "nginx"),
            (["-m", "en-ja=builtin:en-ja#<2ja>"], 2, "<2ja>"),
        ):
            assert main(["serve", *arguments]) == status, arguments
            error = capsys.readouterr().err
            assert word in error
            assert "Traceback" not in error


def test_keys_are_added_listed_and_removed(tmp_path, capsys) -> None:
    file = ["--file", str(tmp_path / "keys.toml")]
    assert main(["api-keys", "add", "weblate", "--rate", "600", *file]) == 0
    key = capsys.readouterr().out.strip()
    assert len(key) > 40
    assert key not in (tmp_path / "keys.toml").read_text()
    assert main(["api-keys", "list", *file]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["weblate", "600", "server's"]
    assert main(["api-keys", "add", "weblate", *file]) == 2
    assert "weblate" in capsys.readouterr().err
    assert main(["api-keys", "remove", "weblat", *file]) == 2
    assert "Did you mean 'weblate'?" in capsys.readouterr().err
    assert main(["api-keys", "remove", "weblate", *file]) == 0
    assert main(["api-keys", "add", "two words", *file]) == 2
