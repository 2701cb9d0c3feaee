"""Pictures of a first night, made on the demo TOM by a real browser at each build, so that they show the pages as they are."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sitebuild.demo_tom import Tom
from tom_alerce.client import Client

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage"]
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}

Take = Callable[[str], object]


def possible() -> bool:
    """Whether there is a browser, and what drives it."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return False
    return CHROMIUM is not None


def take(tom: Tom, folder: Path) -> None:
    """Go through a first night and keep a picture of each step in a folder; whatever is not this TOM does not answer."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        for walk, size in ((_desk, DESK), (_phone, PHONE)):
            context = browser.new_context(viewport=size, base_url=tom.url)
            context.set_default_timeout(30_000)
            context.add_cookies([{"name": "sessionid", "value": tom.session, "url": tom.url}])
            context.route("**/*", lambda route: route.continue_() if route.request.url.startswith(tom.url) else route.abort())
            page = context.new_page()
            walk(page, lambda name, page=page: page.screenshot(path=folder / f"{name}.png", animations="disabled"))
            if walk is _desk:
                _open(page, _draft(tom), ".verdicts")
                page.screenshot(path=folder / "request.png", animations="disabled")
            context.close()
        browser.close()


def _open(page: Any, address: str, shows: str) -> None:
    answer = page.goto(address)
    if answer is None or not answer.ok:
        raise RuntimeError(f"no picture of {address}: {'no answer' if answer is None else answer.status}")
    page.wait_for_load_state("networkidle")
    page.wait_for_selector(shows)


def _desk(page: Any, take_one: Take) -> None:
    """The board, an object, the plan of the night, the lists, and what the API offers."""
    _open(page, "/alerce/", ".alerce")
    take_one("board")
    first = page.locator("a[href*='/alerce/objects/']").first.get_attribute("href")
    _open(page, first, "h1")
    take_one("object")
    for name in ("night", "profiles", "requests", "yield"):
        _open(page, f"/alerce/{name}/", "h1")
        take_one(name)
    _open(page, "/alerce/api/", "h1")
    take_one("api")


def _draft(tom: Tom) -> str:
    """Address of a request that was just drafted for the best candidate that nobody has requested."""
    client = Client(tom.url, tom.token)
    asked = {one["sky_object"] for one in client.requests()}
    best = next(one for one in client.board() if one["sky_object"] not in asked)
    return f"/alerce/requests/{client.draft(best['sky_object']).id}/"


def _phone(page: Any, take_one: Take) -> None:
    """The board in one hand."""
    _open(page, "/alerce/", ".alerce")
    take_one("phone")
