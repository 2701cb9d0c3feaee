"""The design's one rule on imports, and what follows from it for who may load what."""

import subprocess
import sys

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports


def test_imports_go_downwards_only():
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS


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
