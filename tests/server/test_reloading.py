"""The watch over model folders."""

from __future__ import annotations

import asyncio

from nmt_lstm.errors import ModelFolderError
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
        watch = ModelWatch([tmp_path / "a", tmp_path / "b"], crew, 0.02, outcomes.append)
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
