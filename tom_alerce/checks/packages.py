"""E001: the packages that are installed beside `tom_alerce` are its own."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Error, register

from tom_alerce import DISTRIBUTION

#: What is installed beside `tom_alerce`; the names are general enough to be another project's as well.
PACKAGES = ("broker_adapters", "classifiers", "followup")


@dataclass(frozen=True)
class Clash:
    """A package of ours that Python does not find where it was installed, or that is not ours any more."""

    package: str
    place: Path | None
    problem: str
    hint: str


def clashing() -> list[Clash]:
    """The packages of ours that another package of the same name hides, or has overwritten."""
    return [clash for name in PACKAGES if (clash := _clash(name)) is not None]


@register("tom_alerce")
def check_packages(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E001: a package of ours is hidden or overwritten by another of the same name."""
    return [Error(clash.problem, hint=clash.hint, id="tom_alerce.E001") for clash in clashing()]


def _clash(name: str) -> Clash | None:
    home = Path(__file__).resolve().parents[2] / name
    spec = find_spec(name)
    place = None if spec is None or not spec.origin else Path(spec.origin).resolve()
    if place is None or place.parent != home:
        return Clash(
            name,
            place,
            f"The package {name!r} is imported from {place and place.parent}, not from tom_alerce's installation.",
            f"Rename your own {name!r}, or take it off the Python path; tom_alerce cannot work beside it.",
        )
    if _distribution(place) != DISTRIBUTION:
        return Clash(
            name,
            place,
            f"The package {name!r} in {home} belongs to another distribution, which was installed over that of tom_alerce.",
            f"Uninstall the distribution that also brings {name!r}, then install {DISTRIBUTION} again.",
        )
    return None


def _distribution(init: Path) -> str | None:
    """The constant ``DISTRIBUTION`` in a package's ``__init__.py``, read without running the file, since it may be another project's."""
    try:
        body = ast.parse(init.read_text()).body
    except (OSError, ValueError, SyntaxError):
        return None
    constants = {
        target.id: statement.value.value
        for statement in body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    distribution = constants.get("DISTRIBUTION")
    return distribution if isinstance(distribution, str) else None
