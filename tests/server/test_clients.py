"""Clients of LibreTranslate, unchanged, with a real server."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LINE = "The dog is sleeping ."


@pytest.fixture(scope="module")
def expected(server) -> str:
    return server.post_json("/translate", {"q": LINE, "source": "en", "target": "ja"}).value["translatedText"]


def test_libretranslatepy(server, expected) -> None:
    libretranslatepy = pytest.importorskip("libretranslatepy")
    client = libretranslatepy.LibreTranslateAPI(server.url)
    assert client.translate(LINE, "en", "ja") == expected
    assert client.detect("The dog is sleeping on the floor.")[0]["language"] == "en"
    assert {language["code"] for language in client.languages()} == {"en", "ja"}


def test_deep_translator(server, expected) -> None:
    """It writes everything into the query string of a POST, and always sends a key."""
    deep_translator = pytest.importorskip("deep_translator")
    client = deep_translator.LibreTranslator(
        source="en", target="ja", api_key="unused", custom_url=f"{server.url}/"
    )
    assert client.translate(LINE) == expected
    assert client.translate_batch([LINE, "Tom is tall ."])[0] == expected


def test_libretranslate_aio(server, expected) -> None:
    aio = pytest.importorskip("libretranslate_aio")

    async def use() -> None:
        async with aio.AsyncLibreTranslate(server.url) as client:
            found = await asyncio.gather(*(client.translate(LINE, "en", "ja") for _ in range(8)))
            assert {each.translated_text for each in found} == {expected}
            several = await client.translate(LINE, "en", "ja", alternatives=2)
            assert len(several.alternatives) == 2
            listed = await client.translate([LINE, LINE], "en", "ja")
            assert listed.translated_text == [expected] * 2
            html = await client.translate(f"<p>{LINE}</p>", "en", "ja", format="html")
            assert html.translated_text == f"<p>{expected}</p>"
            assert (await client.detect("This is an English sentence."))[0].language == "en"
            assert {language.code for language in await client.languages()} == {"en", "ja"}
            assert (await client.frontend_settings()).char_limit > 0
            assert await client.health()
            with pytest.raises(aio.BadRequestError, match="zz is not supported"):
                await client.translate(LINE, "en", "zz")

    asyncio.run(use())


def test_transpolibre_translates_a_catalogue_of_messages(server, expected, tmp_path) -> None:
    pytest.importorskip("transpolibre")
    polib = pytest.importorskip("polib")
    catalogue = tmp_path / "ja.po"
    catalogue.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        f'msgid "{LINE}"\nmsgstr ""\n\nmsgid "done"\nmsgstr "済み"\n',
        encoding="utf-8",
    )
    subprocess.run(
        [
            Path(sys.executable).parent / "transpolibre",
            *("-s", "en", "-t", "ja", "-u", server.url),
            "-f",
            str(catalogue),
        ],
        check=True,
        cwd=tmp_path,
        timeout=120,
    )
    found = {entry.msgid: entry.msgstr for entry in polib.pofile(str(catalogue))}
    assert found == {LINE: expected, "done": "済み"}


def test_the_package_for_node(server, expected, tmp_path) -> None:
    """It asks for the languages first, and sends JSON with an empty ``apiKey``."""
    folder = os.environ.get("NMT_LSTM_NODE_MODULES", "")
    node = shutil.which("node")
    if not (Path(folder) / "libretranslate").is_dir() or node is None:
        pytest.skip("npm's libretranslate is not installed (`tox -e clients`), or there is no node")
    script = (
        f"const {{ translate }} = require({json.dumps(str(Path(folder) / 'libretranslate'))});"
        f"translate({{query: {json.dumps(LINE)}, source: 'en', target: 'ja', apiurl: {json.dumps(server.url)}}})"
        ".then((text) => process.stdout.write(text));"
    )
    answer = subprocess.run([node, "-e", script], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout == expected


def test_requests_made_from_the_description_never_fail_on_the_server(server) -> None:
    schemathesis = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    if schemathesis is None:
        pytest.skip("schemathesis is not installed (`tox -e clients`)")
    finished = subprocess.run(
        [
            schemathesis,
            "run",
            f"{server.url}/spec",
            *("--checks", "not_a_server_error"),
            "--max-examples",
            "20",
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout
