"""The contracts on imports (pyproject.toml), and what the core packages may load."""

import ast
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
#: Modules for an app that a TOM may have: nothing but that app's own setting names them.
INTEGRATIONS = {("tom_alerce/alertstreams.py", "tom_alertstreams")}
PACKAGES = ("broker_adapters", "classifiers", "followup", "tom_alerce")


def test_every_contract_on_imports_is_kept():
    # in a process of its own, since it switches off every logger that exists
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", ["broker_adapters", "classifiers", "followup"])
def test_core_packages_import_neither_django_nor_tensorflow(package):
    code = (
        f"import sys, pkgutil, importlib, {package} as top\n"
        "for m in pkgutil.walk_packages(top.__path__, top.__name__ + '.'):\n"
        "    if not m.name.endswith('__main__'): importlib.import_module(m.name)\n"
        "print([m for m in ('django', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip().splitlines()[-1:] == ["[]"], done.stdout + done.stderr


def test_whatever_is_imported_with_a_module_is_installed_with_the_package():
    """Imports inside of functions may be of extras, and those of training bring their own message."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    installed, pending = set(), list(project["dependencies"])
    while pending:
        requirement = Requirement(pending.pop())
        name = canonicalize_name(requirement.name)
        if name in installed or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        installed.add(name)
        with suppress(PackageNotFoundError):
            pending += [one for one in requires(name) or () if "extra ==" not in one]
    distributions = {top: set(map(canonicalize_name, names)) for top, names in packages_distributions().items()}
    missing = {
        (str(path.relative_to(ROOT)), top)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for top in _imported(path) - sys.stdlib_module_names - set(PACKAGES)
        if not distributions.get(top, {top}) & installed
    } - INTEGRATIONS
    assert missing == set()


def _imported(path):
    """Top-level packages that a file imports outside of functions."""
    body = ast.parse(path.read_text()).body
    found = {name.name for node in body if isinstance(node, ast.Import) for name in node.names}
    found |= {str(node.module) for node in body if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.split(".")[0] for name in found}
