"""An operator's first hour: a fresh TOM in a project of its own, from the settings of the README to the board."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from classifiers.simulate import night
from tom_alerce.clock import now as now_mjd

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]

#: Settings of a TOM as tom_setup leaves them, on a database and in a place of their own.
FRESH = """
from demo.settings import *

BASE_DIR = Path(__file__).resolve().parent
DATABASES = {"default": {**DATABASES["default"], "ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
INSTALLED_APPS = [app for app in INSTALLED_APPS if app not in ("tom_alerce", "demo")]
TEMPLATES[0]["DIRS"] = []
TOM_FACILITY_CLASSES = ["tom_observations.facilities.lco_redirect.LCORedirectFacility"]
FACILITIES = {}
del TOM_ALERCE
"""

MANAGE = """
import os, sys
from django.core.management import execute_from_command_line
os.environ["DJANGO_SETTINGS_MODULE"] = "mytom_settings"
execute_from_command_line(sys.argv)
"""


class Project:
    """A folder with a TOM: its settings, and its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "mytom_settings.py"
        self.settings.write_text(FRESH)
        (folder / "manage.py").write_text(MANAGE)
        path = os.pathsep.join([str(folder), str(ROOT)])
        self.environment = {**os.environ, "PYTHONPATH": path, "TOM_ALERCE_DEMO_DATA": str(folder / "data"), "DEBUG": "1"}
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)
        self.environment.pop("TOM_ALERCE_POSTGRESQL", None)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command of the TOM, running."""
        command = [sys.executable, "-W", "ignore", str(self.folder / "manage.py"), *arguments]
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, **pipe)

    def run(self, *arguments: str, code: int = 0) -> str:
        """Output of a command of the TOM, which must end with this exit code."""
        process = self.start(*arguments)
        told, _ = process.communicate(timeout=300)
        assert process.returncode == code, told
        return told


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def site(project, browser):
    """Starts the TOM's server, and gives a page of a browser in which only this machine answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = None
    context = browser.new_context(base_url=f"http://127.0.0.1:{port}")
    context.route("**/*", lambda route: route.continue_() if "127.0.0.1" in route.request.url else route.abort())

    def begin():
        nonlocal server
        server = project.start("runserver", "--noreload", f"127.0.0.1:{port}")
        page = context.new_page()
        for _ in range(240):
            with socket.socket() as asked:
                if asked.connect_ex(("127.0.0.1", port)) == 0:
                    break
            page.wait_for_timeout(500)
        page.goto("/accounts/login/")
        return page

    yield begin
    context.close()
    if server is not None:
        server.terminate()
        server.communicate(timeout=30)


def test_from_a_fresh_tom_to_the_board(project, site, tmp_path):
    readme = (ROOT / "README.md").read_text()
    [block] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    project.settings.write_text(FRESH + block.replace('"SITE"', '"STIE"'))
    told = project.run("check")
    assert "unknown key 'STIE'" in told
    assert "Did you mean 'SITE'?" in told
    project.settings.write_text(FRESH + block)
    assert "no issues" in project.run("check", "--tag", "tom_alerce")

    packets = tmp_path / "night"
    night.write(packets, 3, now_mjd(), 14)
    fake = f'\nTOM_ALERCE["BROKERS"] = {{"fake": {{"folder": {str(packets / "ztf")!r}, "surveys": ["ztf"]}}}}\n'
    fake += 'TOM_ALERCE["CLASSIFIERS"] = ["tests.tom_alerce.plugins"]\n'  # the models of ours take a minute to load
    project.settings.write_text(FRESH + block + fake)
    project.run("migrate", "--verbosity", "0")
    assert "no issues" in project.run("check", "--tag", "tom_alerce")
    assert re.search(r"fake ztf: read [1-9]\d* ", project.run("alerce_poll", "--broker", "fake"))
    assert re.search(r"plugins: [1-9]\d* objects classified", project.run("alerce_classify"))
    project.run("alerce_rank")
    project.environment["DJANGO_SUPERUSER_PASSWORD"] = "stars"
    project.run("createsuperuser", "--noinput", "--username", "operator", "--email", "operator@example.org")

    page = site()
    page.fill("[name=login]", "operator")
    page.fill("[name=password]", "stars")
    page.click("main button[type=submit]")
    page.locator(".navbar >> text=ALeRCE board").click()
    page.locator(".alerce-board tbody tr").first.wait_for()
    names = page.locator(".alerce-board .name").all_inner_texts()
    assert names
    assert all(name.startswith("ZTF") for name in names)
    page.locator(".alerce-board .name").first.click()
    page.locator("#light-curve").wait_for()
    assert page.locator("#classes >> text=third").count()
