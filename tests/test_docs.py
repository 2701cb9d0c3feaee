"""Every setting, command, check and term is in the documentation, and every link in it leads somewhere."""

import os
import re
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management import get_commands, load_command_class
from django.test import override_settings

from broker_adapters import plugins
from tom_alerce import conf

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
OPERATION = (ROOT / "docs" / "operation.md").read_text()


@pytest.mark.parametrize("key", conf.DEFAULTS)
def test_every_setting_is_documented(key):
    assert f"| `{key}` |" in SETTINGS


@pytest.mark.parametrize("term", plugins.names("followup.terms"))
def test_every_term_is_documented(term):
    assert f"| `{term}` |" in SETTINGS


@pytest.mark.parametrize("command", [c for c, app in get_commands().items() if app == "tom_alerce"])
def test_every_command_is_documented(command):
    assert command in (ROOT / "README.md").read_text()
    assert command in OPERATION


def test_every_check_is_documented():
    code = "".join(module.read_text() for module in (ROOT / "tom_alerce" / "checks").glob("*.py"))
    ids = set(re.findall(r"tom_alerce\.[EW]\d{3}", code))
    assert ids == set(re.findall(r"tom_alerce\.[EW]\d{3}", OPERATION))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in link:
            assert (page.parent / link).exists(), link


def test_the_manager_that_the_documentation_names_is_there():
    from django.utils.module_loading import import_string

    [path] = re.findall(r'MATCH_MANAGERS = \{"Target": "([^"]+)"\}', SETTINGS)
    assert import_string(path)


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "settings.md"], ids=lambda p: p.name)
def test_the_settings_that_the_documentation_shows_pass_the_checks(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        shown = {"os": os, "INSTALLED_APPS": []}
        if "TOM_ALERCE = {" in block:
            exec(block, shown)  # our own pages
            with override_settings(TOM_ALERCE=shown["TOM_ALERCE"]):
                assert run_checks(tags=["tom_alerce"]) == []


def test_the_commands_that_the_readme_shows_are_understood():
    lines = re.findall(r"^\./manage\.py (alerce_\w+)(.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(lines) >= 3
    for name, options in lines:
        load_command_class("tom_alerce", name).create_parser("manage.py", name).parse_args(options.split())
