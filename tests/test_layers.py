"""The contracts on imports (pyproject.toml), and what the core packages may load."""

import subprocess
import sys
from pathlib import Path

import pytest


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
