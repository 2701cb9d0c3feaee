"""The complete examples of ``docs/extending.md``, loaded as modules, so that the contract tests run over them."""

from __future__ import annotations

import re
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"


def examples() -> dict[str, str]:
    """Path -> text of every example in the page: the code blocks that begin with a comment such as ``# mytom/term.py``."""
    return dict(re.findall(r"```python\n# (mytom/\w+\.py)\n(.*?)```", PAGE.read_text(), re.DOTALL))


def documented(kind: str) -> str:
    """Dotted name under which the example ``mytom/<kind>.py`` can be loaded as a plug-in."""
    name = f"mytom.{kind}"
    if name not in sys.modules:
        _module("mytom", "")
        _module(name, examples()[f"mytom/{kind}.py"])
    return name


def _module(name: str, text: str) -> None:
    if name in sys.modules:
        return
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    sys.modules[name] = module
    exec(compile(text, f"{PAGE} ({name})", "exec"), module.__dict__)  # our own page
