"""The documentation names every setting, command, check and term, and what it says of the code is so."""

import ast
import json
import os
import re
from importlib import import_module
from inspect import signature
from pathlib import Path
from pkgutil import iter_modules

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import get_commands, load_command_class
from django.test import override_settings

from broker_adapters import plugins
from followup import filters
from followup.filters import reference
from followup.rank import DEFAULT_TERMS
from tests.contracts.documented import documented, examples
from tom_alerce import conf

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
OPERATION = (ROOT / "docs" / "operation.md").read_text()


@pytest.mark.parametrize("key", conf.DEFAULTS)
def test_every_setting_is_documented(key):
    assert f"| `{key}` |" in SETTINGS


@pytest.mark.parametrize("term", plugins.names("followup.terms"))
def test_every_term_is_documented_with_its_weight(term):
    weight = DEFAULT_TERMS.get(term, 0.0)
    assert f"| `{term}` | {f'{weight:g}' if weight else 'off'} |" in SETTINGS


@pytest.mark.parametrize("veto", plugins.names("followup.vetoes"))
def test_every_veto_is_documented(veto):
    assert f"| `{veto}` |" in SETTINGS


@pytest.mark.parametrize("command", [c for c, app in get_commands().items() if app == "tom_alerce"])
def test_every_command_is_documented(command):
    assert command in (ROOT / "README.md").read_text()
    assert command in OPERATION


def test_every_field_of_the_filters_is_documented():
    page = (ROOT / "docs" / "filters.md").read_text()
    assert reference.written(page) == page, "python -m followup.filters.reference docs/filters.md"


def test_the_filters_of_the_documentation_can_be_read():
    for block in re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "filters.md").read_text(), re.DOTALL):
        filters.parse(json.loads(block))


def test_every_check_is_documented():
    code = "".join(module.read_text() for module in (ROOT / "tom_alerce" / "checks").glob("*.py"))
    ids = set(re.findall(r"tom_alerce\.[EW]\d{3}", code))
    assert ids == set(re.findall(r"tom_alerce\.[EW]\d{3}", OPERATION))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in link and not link.startswith("generated/"):  # what each build of the documentation makes, and Sphinx looks for
            assert (page.parent / link).exists(), link


def test_the_manager_that_the_documentation_names_is_there():
    from django.utils.module_loading import import_string

    [path] = re.findall(r'MATCH_MANAGERS = \{"Target": "([^"]+)"\}', SETTINGS)
    assert import_string(path)


def test_the_settings_that_the_documentation_shows_pass_the_checks():
    for block in re.findall(r"```python\n(.*?)```", SETTINGS, re.DOTALL):
        shown = {"os": os}
        if "TOM_ALERCE = {" in block:
            exec(block, shown)  # our own pages
            with override_settings(TOM_ALERCE={"FACILITY": {"name": "fake"}, **shown["TOM_ALERCE"]}):
                assert run_checks(tags=["tom_alerce"]) == []


@pytest.mark.parametrize("classes", [[], ["tom_observations.facilities.lco_redirect.LCORedirectFacility", "demo.facility.FakeFacility"]])
def test_the_one_block_of_the_readme_makes_a_tom_that_passes_the_checks(classes):
    """As it stands at the end of the settings of a TOM, which has facilities already or not."""
    [block] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    apps = [app for app in settings.INSTALLED_APPS if app != "tom_alerce"]
    shown = {"INSTALLED_APPS": apps, "TOM_FACILITY_CLASSES": list(classes), "FACILITIES": {"GEM": {}}}
    shown["MIDDLEWARE"] = [one for one in settings.MIDDLEWARE if not one.startswith("tom_alerce")]
    exec(block, shown)  # our own page
    assert shown["INSTALLED_APPS"][-1] == "tom_alerce"
    assert set(shown["FACILITIES"]) == {"GEM", "LCO"}
    assert set(classes) < set(shown["TOM_FACILITY_CLASSES"])
    with override_settings(**{name: value for name, value in shown.items() if name.isupper() and name != "INSTALLED_APPS"}):
        assert run_checks(tags=["tom_alerce"]) == []


def test_no_command_of_the_readme_asks_a_broker_for_everything():
    polls = re.findall(r"^\./manage\.py alerce_poll(.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(polls) == 2
    assert all("--class SN" in options for options in polls)


def test_the_commands_that_the_readme_shows_are_understood():
    lines = re.findall(r"^\./manage\.py (alerce_\w+)(.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(lines) >= 3
    for name, options in lines:
        load_command_class("tom_alerce", name).create_parser("manage.py", name).parse_args(options.split())


CONTENTS = {page: page.read_text() for page in PAGES}
#: Dotted names of ours in backticks: `followup.rank.rank`, `followup.records.Candidate.history`.
NAMED = re.compile(r"`((?:broker_adapters|classifiers|followup|tom_alerce|demo)(?:\.\w+)+)`")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
EXTENDING = (ROOT / "docs" / "extending.md").read_text()


def resolve(path):
    """The module, or what a module holds, under a dotted name."""
    parts = path.split(".")
    for i in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:i]))
        except ModuleNotFoundError as error:
            if not path.startswith(error.name or ""):
                raise
            continue
        for name in parts[i:]:
            found = getattr(found, name)
        return found
    raise ModuleNotFoundError(path)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_and_function_that_a_page_names_is_there(page):
    missing = []
    for path in set(NAMED.findall(CONTENTS[page])) - IDS:
        try:
            resolve(path)
        except (ModuleNotFoundError, AttributeError) as error:
            missing.append(f"{path}: {error}")
    assert missing == []


#: Names that are no modules: of system checks.
IDS = set(re.findall(r"tom_alerce\.[EW]\d{3}", OPERATION))


def packages():
    for top in ("broker_adapters", "classifiers", "followup", "tom_alerce"):
        yield top
        for found in iter_modules([str(ROOT / top)]):
            if found.ispkg and found.name != "migrations":
                yield f"{top}.{found.name}"


@pytest.mark.parametrize("package", [*packages()])
def test_every_package_is_in_the_architecture(package):
    assert f"| `{package}` |" in ARCHITECTURE


def test_there_are_eight_walks_of_at_most_ten_lines_that_name_functions():
    walks = re.split(r"^### ", ARCHITECTURE, flags=re.MULTILINE)[1:]
    assert len(walks) == 8
    for walk in walks:
        lines = re.findall(r"^(\d+)\. ", walk, re.MULTILINE)
        assert lines == [str(i + 1) for i in range(len(lines))]
        assert 5 <= len(lines) <= 10
        assert sum(callable(resolve(name)) for name in NAMED.findall(walk)) >= 5


def test_the_words_of_the_glossary_stand_once_each():
    words = re.findall(r"^- \*\*(.+?)\*\*:", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    single = [word for entry in words for word in entry.split(", ")]
    assert len(single) == len(set(single))
    needed = {"alert", "detection", "non-detection", "forced photometry", "stamp", "survey object", "sky object", "target"}
    assert needed | {"classification", "anomaly score", "candidate", "term", "ranking", "request"} <= set(single)


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        if page.name != "index.md":
            assert f"]({page.name})" in index
            assert re.search(rf"^{page.stem}$", index, re.MULTILINE), "missing in the table of contents"


SIGNATURES = re.findall(r"```python\n# signatures of ([\w.]+)\n(.*?)```", EXTENDING, re.DOTALL)


@pytest.mark.parametrize(("protocol", "text"), SIGNATURES, ids=[name for name, _ in SIGNATURES])
def test_the_signatures_of_plugins_are_those_of_the_code(protocol, text):
    functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert functions
    for function in functions:
        parameters = list(signature(getattr(resolve(protocol), function.name)).parameters.values())
        code = signature(getattr(resolve(protocol), function.name))
        code = code.replace(parameters=[p for p in parameters if p.name != "self"])
        function.body = [ast.Expr(ast.Constant(...))]
        plain = ast.unparse(ast.parse(f"def {function.name}{code}: ...".replace("'", "")))
        assert ast.unparse(function) == plain


def test_every_kind_of_plugin_has_signatures_and_a_contract_test():
    sections = re.split(r"^## ", EXTENDING, flags=re.MULTILINE)[1:]
    assert [section.splitlines()[0] for section in sections] == [
        "A survey",
        "A broker",
        "A catalogue",
        "A reader of notices",
        "A classifier",
        "A term",
        "A veto",
        "A facility",
        "A channel",
    ]
    for section in sections:
        assert "# signatures of " in section
        [test] = set(re.findall(r"`(tests/contracts/test_\w+\.py)`", section))
        assert (ROOT / test).exists()


def test_the_examples_of_plugins_are_run_by_the_contract_tests():
    for path in examples():
        kind = Path(path).stem
        assert f'documented("{kind}")' in (ROOT / "tests" / "contracts" / f"test_{kind}.py").read_text()


def test_the_files_that_the_page_includes_are_plugins_that_the_contract_tests_run():
    included = re.findall(r"```\{literalinclude\} \.\./(\S+)\.py", EXTENDING)
    for path in included:
        dotted = path.replace("/", ".")
        assert any(dotted in test.read_text() for test in (ROOT / "tests" / "contracts").glob("test_*.py")), path


def test_the_settings_in_the_page_of_plugins_pass_the_checks():
    for kind in (Path(path).stem for path in examples()):
        documented(kind)
    blocks = [block for block in re.findall(r"```python\n(.*?)```", EXTENDING, re.DOTALL) if "TOM_ALERCE = {" in block]
    assert blocks
    for block in blocks:
        shown = {}
        exec(block, shown)  # our own page
        with override_settings(TOM_ALERCE=shown["TOM_ALERCE"]):
            assert [message for message in run_checks(tags=["tom_alerce"]) if message.is_serious()] == []
