"""The watch over model folders."""

from __future__ import annotations

import asyncio
import shutil

from nmt_lstm.corpora.builtin import builtin_corpus_folder
from nmt_lstm.errors import ConfigurationError, ModelFolderError
from nmt_lstm.server.reloading import ModelWatch


def test_a_folder_that_is_written_is_loaded_once_and_only_when_it_is_complete(tmp_path) -> None:
    class Crew:
        renewed = 0
        problem: Exception | None = None

        async def renew(self) -> None:
            self.renewed += 1
            if self.problem is not None:
                raise self.problem

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")

    async def use() -> None:
        crew, outcomes = Crew(), []
        watch = ModelWatch(
            [tmp_path / "a", tmp_path / "b"],
            crew,
            seconds=0.02,
            check=lambda: None,
            reloaded=outcomes.append,
        )
        task = asyncio.create_task(watch.run())
        await asyncio.sleep(0.1)
        assert crew.renewed == 0
        manifest = tmp_path / "a" / "manifest.json"
        manifest.write_text(manifest.read_text())
        await asyncio.sleep(0.3)
        assert (crew.renewed, outcomes) == (1, ["done"])
        crew.problem = ModelFolderError("damaged")
        manifest.unlink()
        await asyncio.sleep(0.3)
        assert (crew.renewed, outcomes) == (2, ["done", "failed"])
        task.cancel()

    asyncio.run(use())


def test_any_file_of_the_model_counts_and_what_cannot_be_served_is_not_loaded(tmp_path) -> None:
    class Crew:
        renewed = 0

        async def renew(self) -> None:
            self.renewed += 1

    folder = tmp_path / "model"
    shutil.copytree(builtin_corpus_folder() / "model", folder)
    problems: list[ConfigurationError] = []

    def check() -> None:
        if problems:
            raise problems[0]

    async def use() -> None:
        crew, outcomes = Crew(), []
        watch = ModelWatch([folder], crew, seconds=0.02, check=check, reloaded=outcomes.append)
        task = asyncio.create_task(watch.run())
        # As training writes them: no files of the model.
        (folder / "log.jsonl").write_text("{}")
        await asyncio.sleep(0.2)
        assert (crew.renewed, outcomes) == (0, [])
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1])
        await asyncio.sleep(0.2)
        assert (crew.renewed, outcomes) == (1, ["done"])
        problems.append(ConfigurationError("other languages"))
        run = folder / "run.toml"
        run.write_text(run.read_text() + "\n")
        await asyncio.sleep(0.2)
        assert (crew.renewed, outcomes) == (1, ["done", "failed"])
        task.cancel()

    asyncio.run(use())
