"""The page as its reader uses it, in a real browser: typing, pointing, keyboard, files, narrow and dark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.conftest import ServerProcess

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (`tox -e pages`)")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
if BROWSER is None:
    pytest.skip("there is no chromium", allow_module_level=True)

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
TEXT = "The dog is sleeping . Tom is tall ."


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def two_models(random_model_folder: Path) -> Iterator[ServerProcess]:
    """A server with two models for the same languages, and one for the other direction."""
    process = ServerProcess(*("-m", "builtin:en-ja", "-m", f"en-ja={random_model_folder}", "--workers", "1"))
    yield process
    assert process.stop() == 0


def opened(browser: sync_api.Browser, url: str, **options: object) -> Iterator[sync_api.Page]:
    """Open the page; whatever it complains of, or asks other hosts for, fails the test."""
    page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **options})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith((url, "data:", "blob:")) else complaints.append(asked.url),
    )
    page.goto(url)
    page.locator("#to option").first.wait_for(state="attached")
    yield page
    page.close()
    assert complaints == []


@pytest.fixture
def page(browser: sync_api.Browser, server: ServerProcess) -> Iterator[sync_api.Page]:
    yield from opened(browser, server.url)


def typed(page: sync_api.Page, text: str = TEXT) -> sync_api.Locator:
    """Type a text, and return the words of its translation."""
    page.fill("#source", text)
    page.locator(".output .word").first.wait_for()
    return page.locator(".output .word")


def test_the_translation_appears_while_one_types(page, server) -> None:
    typed(page)
    expected = server.post_json("/translate", {"q": TEXT, "source": "en", "target": "ja"}).value
    assert page.locator(".output").inner_text() == expected["translatedText"]
    page.fill("#source", "")
    page.locator(".output .empty").wait_for()


def test_a_word_tells_its_probability_and_its_attention(page) -> None:
    typed(page).nth(0).hover()
    assert "probability" in page.locator(".explanation").inner_text()
    assert page.locator(".read span[data-weight]").count() == 5
    page.locator(".read span").nth(1).hover()
    assert "“dog”" in page.locator(".explanation").inner_text()


def test_another_word_changes_the_rest_and_can_be_undone_by_keyboard_alone(page) -> None:
    words = typed(page)
    before = page.locator(".output").inner_text()
    page.locator("#source").focus()
    words.nth(0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator(".menu li").first.wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".menu").count() == 0
    page.keyboard.press("Enter")
    page.locator(".menu li").first.wait_for()
    page.keyboard.press("ArrowDown")
    chosen = page.locator(".menu li[aria-selected=true] span").first.inner_text()
    page.keyboard.press("Enter")
    page.locator(".word.chosen").first.wait_for()
    assert page.locator(".output").inner_text() != before
    assert page.locator(".word").nth(2).inner_text() == chosen
    page.wait_for_function("document.activeElement.classList.contains('word')")
    assert page.evaluate("document.activeElement.textContent") == chosen
    page.get_by_role("button", name="Undo my choices").press("Enter")
    page.locator(".word.chosen").first.wait_for(state="detached")
    assert page.locator(".output").inner_text() == before


def test_ones_own_word(page) -> None:
    typed(page).nth(0).click()
    page.locator(".menu input").fill("猫")
    page.get_by_role("button", name="Use", exact=True).click()
    page.locator(".word.chosen").first.wait_for()
    assert page.locator(".output").inner_text().startswith("猫")


def test_another_translation_of_the_sentence(page) -> None:
    typed(page, "The dog is sleeping .")
    other = page.locator(".alternatives button").first
    text = other.inner_text()
    other.click()
    page.locator(".word.chosen").first.wait_for()
    assert page.locator(".output").inner_text().startswith(text)
    assert page.locator(".alternatives button").first.inner_text() != text, "the others stay"


def test_a_text_that_is_too_long_is_not_translated(page, server) -> None:
    limit = server.get("/page/models").value["characters"]
    typed(page)
    page.fill("#source", "🙂" * limit)
    page.locator("#count").get_by_text(f"{limit:,} of").wait_for()
    page.fill("#source", "🙂" * (limit + 2))
    page.get_by_text("2 characters too many").wait_for()
    assert page.get_by_role("button", name="Copy").is_disabled()


def test_gates_and_memory_of_a_chosen_layer(page) -> None:
    typed(page)
    page.locator(".inside summary").click()
    page.locator(".strips canvas[aria-label*=forget]").wait_for()
    page.locator(".strips canvas").first.hover()
    assert "unit" in page.locator(".value").inner_text()
    choice = page.locator(".inside option").last.inner_text()
    page.locator(".inside select").select_option(choice)
    assert choice in page.locator(".strips canvas").first.get_attribute("aria-label")


def test_models_stand_side_by_side(browser, two_models) -> None:
    for page in opened(browser, two_models.url):
        boxes = page.locator("#models input")
        assert boxes.count() == 2
        typed(page)
        boxes.nth(1).check()
        page.locator(".panel").nth(1).locator(".word").first.wait_for()
        boxes.nth(0).uncheck()
        assert page.locator(".panel").count() == 1
        boxes.nth(1).click()
        assert boxes.nth(1).is_checked(), "one model is always shown"
        boxes.nth(1).click()
        assert boxes.nth(1).is_checked(), "one model is always shown"


def test_the_language_of_a_file_is_detected_not_that_of_the_text(
    browser, random_model_folder, tmp_path
) -> None:
    process = ServerProcess("-m", f"de-en={random_model_folder}", "-m", "builtin:en-ja", "--workers", "1")
    (tmp_path / "a.txt").write_text("The dog is sleeping on the floor .\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("トムは背が高い。\n", encoding="utf-8")
    for page in opened(browser, process.url):
        page.locator("#from").select_option("auto")
        page.fill("#source", "Ein Hund läuft durch den Schnee und ein Mann schläft.")
        page.get_by_text("Detected: German").wait_for()
        page.locator("#file").set_input_files(tmp_path / "a.txt")
        page.get_by_text("Save a.ja.txt").wait_for()
        page.locator("#file").set_input_files(tmp_path / "b.txt")
        page.get_by_text("no model here translates from it").wait_for()
    assert process.stop() == 0


def test_an_empty_page_of_a_server_that_is_gone_says_so(browser) -> None:
    process = ServerProcess("-m", "builtin:en-ja", "--workers", "1")
    page = browser.new_page()
    page.goto(process.url)
    page.locator("#to option").first.wait_for(state="attached")
    process.stop()
    page.fill("#source", "Tom is tall .")
    page.locator("#problem").wait_for()
    assert "server" in page.locator("#problem").inner_text()
    assert page.locator(".output.outdated").count() == 1
    page.close()


PO = """msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

#, python-brace-format
msgid "Tom is {age} years old ."
msgstr ""

msgid "done"
msgstr "fertig"

msgid ""
"The dog "
"is sleeping ."
msgstr ""

msgid "a dog ."
msgid_plural "two dogs ."
msgstr[0] ""
"""
SRT = "\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\nThe dog is\r\nsleeping .\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\n- Tom is tall .\r\n- The dog is sleeping .\r\n"


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        ("a.txt", "Tom is tall .\n\nThe dog is sleeping .\n", ["\n\n"]),
        (
            "a.po",
            PO,
            ["#, fuzzy, python-brace-format", "{age}", 'msgstr "fertig"', "Content-Type", 'msgstr[0] "'],
        ),
        ("a.srt", SRT, ["\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\n", "\r\n- トム", "\r\n- 犬"]),
    ],
)
def test_files_in_and_out(page, tmp_path, name, content, kept) -> None:
    (tmp_path / name).write_bytes(content.encode())
    page.locator("#file").set_input_files(tmp_path / name)
    with page.expect_download() as saved:
        page.locator("#file-state a").click()
    assert saved.value.suggested_filename == name.replace(".", ".ja.")
    found = Path(saved.value.path()).read_bytes().decode()
    assert "犬" in found
    assert "トム" in found
    for part in kept:
        assert part in found


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"x"),
        ("a.txt", b"\xff\xfe\x00"),
        ("b.txt", b" \n"),
        ("a.po", b"some prose"),
        ("b.po", b'msgid "open\nmsgstr ""\n'),
        ("a.srt", b"1\n00:00:01,000\nTom\n"),
    ],
)
def test_files_that_cannot_be_read_are_named(page, tmp_path, name, content) -> None:
    (tmp_path / name).write_bytes(content)
    page.locator("#file").set_input_files(tmp_path / name)
    page.get_by_text(name).wait_for()
    assert page.locator("#file-state a").count() == 0


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (400, "dark"), (1280, "dark")])
def test_nothing_is_wider_than_the_window(browser, server, width, scheme) -> None:
    for page in opened(browser, server.url, viewport={"width": width, "height": 800}, color_scheme=scheme):
        typed(page, f"{TEXT} {'dog' * 40}")
        page.locator(".inside summary").click()
        page.locator(".strips canvas").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
