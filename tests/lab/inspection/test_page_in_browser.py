"""The page as its reader uses it, in a real browser: clicking, hovering, typing, narrow and dark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nmt_lstm.lab.inspection.gradient_flow import inspect_gradients
from nmt_lstm.lab.inspection.gradient_page import gradient_page
from nmt_lstm.lab.inspection.overview import overview
from nmt_lstm.lab.inspection.page import trace_page

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (`tox -e pages`)")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
if BROWSER is None:
    pytest.skip("there is no chromium", allow_module_level=True)

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def address(make_inspector, tmp_path: Path) -> str:
    trace = make_inspector(layers=2).trace("eins zwei drei .")
    path = tmp_path / "page.html"
    path.write_text(trace_page([trace, trace]), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: sync_api.Browser, address: str) -> Iterator[sync_api.Page]:
    """The page, opened; whatever it complains of, or asks the network for, fails the test."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda asked: None if asked.url == address else complaints.append(asked.url))
    opened.goto(address)
    yield opened
    opened.close()
    assert complaints == []


def test_a_click_on_a_piece_chooses_it(page: sync_api.Page) -> None:
    pieces = page.locator(".trace").first.locator(".pieces button")
    pieces.nth(2).click()
    assert pieces.nth(2).get_attribute("aria-pressed") == "true"
    pieces.nth(2).press("ArrowRight")
    assert pieces.nth(3).get_attribute("aria-pressed") == "true"


def test_a_gate_tells_its_value_under_the_pointer(page: sync_api.Page) -> None:
    page.locator("canvas[aria-label^='encoder, layer 1, forward, forget']").first.hover()
    assert "forget, unit" in page.locator("#hint").inner_text()


def test_the_rival_changes_what_is_shown(page: sync_api.Page) -> None:
    switches = page.locator(".trace").first.locator(".choice button")
    switches.nth(1).click()
    assert switches.nth(1).get_attribute("aria-pressed") == "true"
    assert switches.nth(0).get_attribute("aria-pressed") == "false"


def test_a_span_names_its_units(page: sync_api.Page) -> None:
    page.locator(".trace").first.locator(".rows").nth(2).locator(".axis button").first.click()
    assert "Units whose memory is larger" in page.locator(".units").first.inner_text()


def test_the_tree_shows_what_was_pruned_and_how_to_force_a_beginning(page: sync_api.Page) -> None:
    nodes = page.locator(".trace").first.locator(".tree g")
    before = nodes.count()
    page.get_by_text("show what was pruned").first.click()
    assert nodes.count() > before
    nodes.nth(1).click()
    assert "--prefix" in page.locator("pre").first.inner_text()


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (400, "dark"), (1280, "dark")])
def test_nothing_is_wider_than_the_window(
    browser: sync_api.Browser, address: str, width: int, scheme: str
) -> None:
    narrow = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    narrow.goto(address)
    assert narrow.evaluate("document.documentElement.scrollWidth") <= width
    narrow.close()


def test_models_stand_side_by_side_where_there_is_room(page: sync_api.Page) -> None:
    first, second = (page.locator(".trace .block").nth(at).bounding_box() for at in (0, 9))
    assert first["y"] == pytest.approx(second["y"], abs=1)
    assert second["x"] > first["x"] + first["width"]
    page.set_viewport_size({"width": 500, "height": 900})
    first, second = (page.locator(".trace .block").nth(at).bounding_box() for at in (0, 9))
    assert second["y"] > first["y"] + first["height"]


def test_rows_of_cells_with_different_gates_stand_in_line(
    browser: sync_api.Browser, make_inspector, tmp_path: Path
) -> None:
    path = tmp_path / "cells.html"
    traces = [make_inspector(cell=cell).trace("eins zwei .", target="one") for cell in ("lstm", "rnn")]
    path.write_text(trace_page(traces), encoding="utf-8")
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.goto(path.as_uri())
    opened.wait_for_function("document.querySelector('.rows').style.getPropertyValue('--column') !== ''")
    for name in ("memory, size", "influence"):
        lstm, rnn = (
            opened.locator(".trace").nth(model).locator(f"canvas[aria-label^='{name}']").first.bounding_box()
            for model in (0, 1)
        )
        assert lstm["y"] == pytest.approx(rnn["y"], abs=1)
        assert lstm["x"] < rnn["x"]
    opened.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_all_pieces_fit_into_the_window(browser: sync_api.Browser, address: str, width: int) -> None:
    opened = browser.new_page(viewport={"width": width, "height": 800})
    opened.goto(address)
    opened.wait_for_function("document.querySelector('.rows').style.getPropertyValue('--column') !== ''")
    overflows = opened.evaluate(
        "[...document.querySelectorAll('.rows')].map((box) => box.scrollWidth - box.clientWidth)"
    )
    assert max(overflows) <= 1
    opened.close()


def test_pieces_that_do_not_fit_are_announced(
    browser: sync_api.Browser, make_inspector, tmp_path: Path
) -> None:
    path = tmp_path / "long.html"
    path.write_text(trace_page([make_inspector().trace("eins zwei drei vier " * 5)]), encoding="utf-8")
    opened = browser.new_page(viewport={"width": 360, "height": 800})
    opened.goto(path.as_uri())
    opened.get_by_text("scroll sideways").first.wait_for(state="visible")
    opened.close()


def test_a_span_finds_sentences_of_the_text(
    browser: sync_api.Browser, make_inspector, tmp_path: Path
) -> None:
    inspector = make_inspector()
    text = overview(inspector, ["eins zwei .", "drei vier fünf .", "sechs eins"])
    path = tmp_path / "text.html"
    path.write_text(trace_page([inspector.trace("eins zwei drei .")], texts=[text]), encoding="utf-8")
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.goto(path.as_uri())
    labels = opened.locator(".rows").nth(2).locator(".axis button")
    labels.nth(0).click()
    assert "differs most at" in opened.locator(".units").first.inner_text()
    sentences = opened.locator(".sentences").first.locator("li")
    assert sentences.count() == 3
    assert sentences.first.locator("mark").count() > 0
    labels.nth(labels.count() - 1).click()
    assert "whole sentence" in opened.locator(".units").first.inner_text()
    assert opened.locator(".sentences").count() == 0
    opened.close()


def test_half_lives_are_shown_by_gates_and_as_measured(page: sync_api.Page) -> None:
    table = page.locator(".half-lives").first
    table.locator("summary").click()
    assert "by its gates" in table.inner_text()
    assert "measured" in table.inner_text()


def test_the_page_of_gradients_fits_a_phone(
    browser: sync_api.Browser, make_inspector, tmp_path: Path
) -> None:
    traces = [
        inspect_gradients(make_inspector(cell=cell), "eins zwei drei .", lengths=[6])
        for cell in ("lstm", "gru")
    ]
    path = tmp_path / "gradients.html"
    path.write_text(
        gradient_page(traces, command=f"nmt-lstm inspect {'-m runs/model ' * 30}"), encoding="utf-8"
    )
    opened = browser.new_page(viewport={"width": 400, "height": 900}, color_scheme="dark")
    opened.goto(path.as_uri())
    assert opened.locator("figure svg").count() == 6
    assert opened.evaluate("document.documentElement.scrollWidth") <= 400
    opened.close()
