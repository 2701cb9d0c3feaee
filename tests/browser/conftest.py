"""A real Chromium against a live server; whatever is not on this machine does not answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage")


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'tom-alerce[test]'")
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGS))
        yield chromium
        chromium.close()


DESKTOP, PHONE = (1400, 900), (390, 844)
both = pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=["desktop", "phone"])


@pytest.fixture
def page(request, browser, live_server):
    """A page of a browser in which only this machine answers; an error of a script is an error of the test."""
    width, height = getattr(request, "param", DESKTOP)
    context = browser.new_context(viewport={"width": width, "height": height}, base_url=live_server.url)
    context.set_default_timeout(15_000)
    context.route("**/*", lambda route: route.continue_() if route.request.url.startswith(live_server.url) else route.abort())
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: "Failed to fetch" in str(error) or errors.append(str(error)))  # of the toolkit, from elsewhere
    yield page
    page.wait_for_load_state("networkidle")  # a request that is still served would keep the database from being emptied
    context.close()
    assert not errors


@pytest.fixture
def screenshot(page, tmp_path_factory, request):
    """Keeps a picture of the page, for a person to look at."""
    folder = Path(tmp_path_factory.getbasetemp()) / "screenshots"
    folder.mkdir(exist_ok=True)

    def take(name: str) -> Path:
        path = folder / f"{name}-{page.viewport_size['width']}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return take
