"""The page of a report in a real browser: it stands alone, is complete, and works from the keyboard."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.helpers.commands import run
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
def report() -> Iterator[Path]:
    """The report of the demo in one process."""
    with tempfile.TemporaryDirectory() as folder:
        result = run("demo", "--in-process", "--seed", "7", "--report", folder)
        assert result.exit_code == 0, result.output
        yield Path(folder)


@pytest.fixture(scope="module")
def browser(report: Path) -> Iterator[Browser]:
    """The Chromium of this machine, without a window."""
    program = require_program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(OFFLINE))
        yield browser
        browser.close()


@pytest.fixture
def asked(page: Page) -> list[str]:
    """What the page asked for, apart from itself."""
    return page.asked  # type: ignore[attr-defined, no-any-return] # the fixture below adds it


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """The report, opened."""
    page = browser.new_page(color_scheme="light")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: requests.append(f"error: {error}"))
    page.goto((report / "report.html").as_uri())
    page.asked = requests[1:]  # type: ignore[attr-defined] # read by the fixture above
    yield page
    page.close()


def test_page_asks_for_nothing_else(page: Page, asked: list[str]) -> None:
    """The page needs no other file and no network, and its script runs without an error."""
    assert page.title()
    assert asked == []


def test_page_has_a_row_for_each_message(page: Page) -> None:
    """The table shows all 25 messages of the demo, and each of the three cases has a diagram."""
    assert page.locator("#messages tr[id]").count() == 25
    assert page.locator("article.chapter svg").count() == 3


def test_files_of_each_message_are_there(page: Page, report: Path) -> None:
    """Every link in the table leads to a file of the report."""
    links = page.locator("#messages td.files a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert len(links) == 100
    assert [link for link in links if not (report / link).is_file()] == []


def test_page_works_from_the_keyboard(page: Page) -> None:
    """The first tab stop skips to the messages, the second one changes between dark and light."""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#messages"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
