"""The validator's page in a real browser, by keyboard alone."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.helpers.optional import require_program

OFFLINE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a running validator."""
    command = [sys.executable, "-m", "eessi_sim", "validator", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")["url"]
        process.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine, without a window."""
    program = require_program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(OFFLINE))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """The page, opened; a complaint of the browser fails the test."""
    page = browser.new_page(color_scheme="light")
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("request", lambda asked: complaints.append(asked.url) if not asked.url.startswith(url) else None)
    page.goto(url)
    yield page
    page.close()
    assert complaints == []


def _tab_to(page: Page, wanted: str) -> None:
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    pytest.fail(f"the keyboard does not reach {wanted}")


def _paste(page: Page, text: str) -> None:
    _tab_to(page, "#text")
    page.keyboard.insert_text(text)
    _tab_to(page, "button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#verdict")


def test_paste_by_keyboard_leads_to_the_verdict(page: Page, wrong: bytes) -> None:
    """Tab to the text, paste, tab to the button, Enter: the verdict has the focus, and the pasted text stays."""
    _paste(page, wrong.decode())
    assert page.evaluate("document.activeElement.id") == "verdict"
    assert "Not valid" in page.inner_text("#verdict")
    assert "unheardOf" in page.input_value("#text")


def test_links_lead_to_and_fro_by_keyboard(page: Page, wrong: bytes) -> None:
    """From a finding Enter leads to its line, from the note below the line back to the finding."""
    _paste(page, wrong.decode())
    _tab_to(page, ".findings a")
    page.keyboard.press("Enter")
    assert "unheardOf" in page.evaluate("document.activeElement.innerText")
    _tab_to(page, ".note a")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "finding-1"


def test_skip_link_comes_first(page: Page) -> None:
    """The first stop of the keyboard skips to the result, and whatever has the focus shows it."""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#result"
    _tab_to(page, "#file")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_chosen_file_is_checked(page: Page, valid: bytes) -> None:
    """A chosen file is examined under its name."""
    page.set_input_files("#file", {"name": "mine.xml", "mimeType": "text/xml", "buffer": valid})
    _tab_to(page, "button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#verdict")
    assert page.inner_text("#verdict").endswith("Valid")
    assert "mine.xml" in page.inner_text(".verdict")


def test_dropped_file_is_checked(page: Page, valid: bytes) -> None:
    """A file that is dropped anywhere on the page is examined at once."""
    page.evaluate(
        """text => {
            const moved = new DataTransfer();
            moved.items.add(new File([text], "dropped.xml"));
            document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: moved, bubbles: true}));
        }""",
        valid.decode(),
    )
    page.wait_for_selector("#verdict")
    assert "dropped.xml" in page.inner_text(".verdict")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_page_does_not_scroll_sideways(
    browser: Browser, url: str, wrong: bytes, scheme: Literal["light", "dark"]
) -> None:
    """On a narrow screen nothing stands out to the right, in both colour schemes, without scripts."""
    context = browser.new_context(
        java_script_enabled=False, color_scheme=scheme, viewport={"width": 360, "height": 800}
    )
    page = context.new_page()
    page.goto(url)
    page.fill("#text", wrong.decode())
    page.click("button")
    page.wait_for_selector("#verdict")
    width = page.locator("html").evaluate("root => root.scrollWidth")
    context.close()
    assert width <= 360


def test_print_leaves_out_the_form(page: Page, wrong: bytes) -> None:
    """On paper stand the verdict and the findings, not the form."""
    _paste(page, wrong.decode())
    page.emulate_media(media="print")
    assert not page.is_visible("#form")
    assert page.is_visible(".findings")
