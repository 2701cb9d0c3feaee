"""What the documentation is made of at each build: references from the code, tutorials that are executed, pictures that are taken."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands

from broker_adapters import plugins
from tom_alerce import conf
from tom_alerce.api import routes

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
INDEX = (DOCS / "index.md").read_text()


@pytest.fixture(scope="module")
def reference():
    sys.path.insert(0, str(DOCS))
    try:
        from sitebuild import reference
    finally:
        sys.path.remove(str(DOCS))
    return reference


def test_the_references_have_everything(reference):
    own = [name for name, app in get_commands().items() if app == "tom_alerce"]
    names = {
        "settings-keys": conf.DEFAULTS,
        "commands": own,
        "rest": routes.ENDPOINTS,
        "terms": [name for package in ("followup.terms", "followup.vetoes") for name in plugins.names(package)],
        "features": ("periodicity", "drw"),
    }
    assert set(names) == set(reference.PAGES)
    for page, wanted in names.items():
        text = reference.PAGES[page]()
        assert [name for name in wanted if f"`{name}`" not in text and f"## {name}\n" not in text] == [], page
        assert re.search(rf"^generated/{page}$", INDEX, re.MULTILINE)


def test_no_page_is_twice_in_the_tables_of_contents():
    entries = [
        line
        for table in re.findall(r"```\{toctree\}\n(.*?)```", INDEX, re.DOTALL)
        for line in table.splitlines()
        if line[:1] not in ("", ":")
    ]
    assert len(entries) == len(set(entries)) > 20


def test_references_that_stay_as_they_were_are_not_touched(reference, tmp_path):
    reference.write(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    reference.write(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("page", sorted(DOCS.glob("tutorials/*.md")), ids=lambda page: page.stem)
def test_every_tutorial_is_executed_and_in_the_index(page):
    text = page.read_text()
    assert "\nfile_format: mystnb\n" in text
    assert text.count("```{code-cell}") >= 3
    assert re.search(rf"^tutorials/{page.stem}$", INDEX, re.MULTILINE)


def test_the_pictures_that_are_shown_are_those_that_are_taken():
    code = (DOCS / "sitebuild" / "pictures.py").read_text()
    taken = set(re.findall(r'take_one\("(\w+)"\)|/ "(\w+)\.png"', code))
    named = {one or other for one, other in taken} | set(re.findall(r"for name in \(([^)]*)\)", code)[0].replace('"', "").split(", "))
    shown = {name for page in DOCS.glob("*.md") for name in re.findall(r"\(generated/night/(\w+)\.png\)", page.read_text())}
    assert shown == named
