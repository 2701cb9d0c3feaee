"""Plug-ins: a plug-in is a module, and its name is its file name.

A dotted name is the module of a third party. There is no registry: a new file is found because it is there.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType


def names(package: str) -> tuple[str, ...]:
    """Names of the plug-ins of a package such as ``'broker_adapters.surveys'``, sorted; files with a leading underscore are not."""
    return tuple(sorted(m.name for m in iter_modules(import_module(package).__path__) if not m.name.startswith("_")))


def load(package: str, name: str) -> ModuleType:
    """The plug-in of that name, or the third party's module where the name has a dot.

    Raises
    ------
    LookupError
        There is no such module; the message lists those of the package.
    """
    path = name if "." in name else f"{package}.{name}"
    try:
        found = find_spec(path) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise LookupError(f"no plug-in {name!r}; {package} has: {', '.join(names(package))}")
    return import_module(path)
