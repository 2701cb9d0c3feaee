"""References that are made from the code at each build, so that they cannot be out of date."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any


def write(folder: Path) -> None:
    """Write every reference as a page in a folder; a page that stays as it was is not touched."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        path, text = folder / f"{name}.md", make()
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def settings() -> str:
    """Every key of ``TOM_ALERCE`` with its default, from the comments beside it."""
    from tom_alerce import conf

    comments: list[str] = []
    rows: list[str] = []
    inside = False
    for line in inspect.getsource(conf).splitlines():
        text = line.strip()
        inside = inside or line.startswith("DEFAULTS")
        if inside and text.startswith("#:"):
            comments.append(text.removeprefix("#:").strip())
        elif inside and line.startswith('        "'):
            key = text.split('"')[1]
            rows.append(f"| `{key}` | `{_cell(repr(conf.DEFAULTS[key]))}` | {_cell(' '.join(comments).replace('``', '`'))} |")
            comments = []
        elif line.startswith(")"):
            inside = False
    return _page(
        "Settings, key by key", "Each with its default; [settings](../settings.md) explains them.", "key | default | meaning", rows
    )


def commands() -> str:
    """Every command with its options."""
    from django.core.management import get_commands, load_command_class

    parts = ["# Commands", "", "`./manage.py NAME --help` prints the same; [operation](../operation.md) says which runs when."]
    for name in sorted(name for name, app in get_commands().items() if app == "tom_alerce"):
        command = load_command_class("tom_alerce", name)
        parser = command.create_parser("manage.py", name)
        parts += ["", f"## {name}", "", _prose(command.help), ""]
        usual = {option for action in _django() for option in action.option_strings}
        rows = [_option(action) for action in parser._actions if not usual & set(action.option_strings)]
        parts += ["| option | meaning |", "|---|---|", *rows] if rows else ["It has no options of its own."]
    return "\n".join(parts) + "\n"


def rest() -> str:
    """Every address of the API."""
    from tom_alerce.api import schema

    parts = [
        "# REST",
        "",
        "Made from the OpenAPI description, which a TOM serves at `/alerce/api/schema.json`; [API](../api.md) explains it.",
    ]
    for group in schema.groups(schema.schema()):
        parts += ["", f"## {group['name']}"]
        for one in group["operations"]:
            parts += ["", f"**{one['method']} `{one['address']}`** {_prose(one['text'])}"]
            parts += _fields("in the address", one["parameters"]) + _fields("sent", one["body"])
            fields = ", ".join(f"`{field['name']}`" for field in one["answer"])
            parts += ["", f"Answers {fields}." if fields else f"Answers {one['status']} {one['type']}".rstrip() + "."]
    return "\n".join(parts) + "\n"


def terms() -> str:
    """Every term, veto and guard, with its parameters."""
    from broker_adapters import plugins

    kinds = (("Terms", "followup.terms", "term"), ("Vetoes", "followup.vetoes", "veto"), ("Guards", "tom_alerce.requests.guards", "guard"))
    parts = [
        "# Terms, vetoes and guards",
        "",
        "What scores an object, what keeps it out of a night, and what stops a request; parameters are their defaults.",
    ]
    for title, package, function in kinds:
        rows = []
        for name in plugins.names(package):
            module = plugins.load(package, name)
            rows.append(f"| `{name}` | {_cell(_first(module))} | {_parameters(getattr(module, function, None))} |")
        parts += ["", f"## {title}", "", "| name | what it says | parameters |", "|---|---|---|", *rows]
    return "\n".join(parts) + "\n"


def features() -> str:
    """Every feature of the light-curve classifier, by the module that works it out."""
    from importlib import import_module
    from pkgutil import iter_modules

    from classifiers.models.lightcurve import features as package

    rows = []
    for found in iter_modules(package.__path__):
        if not found.name.startswith("_"):
            module = import_module(f"{package.__name__}.{found.name}")
            rows.append(f"| `{found.name}` | {_cell(_first(module))} |")
    lead = "What the light-curve classifier works out of a light curve; formulas and sources stand in each module."
    return _page("Features", lead, "module | what it works out", rows)


#: Name of a page -> what makes it.
PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {"settings-keys": settings, "commands": commands, "rest": rest, "terms": terms, "features": features}
)


def _page(title: str, lead: str, heads: str, rows: list[str]) -> str:
    line = "|".join("---" for _ in heads.split("|"))
    return "\n".join([f"# {title}", "", lead, "", f"| {heads} |", f"|{line}|", *rows]) + "\n"


def _fields(title: str, rows: list[dict[str, Any]]) -> list[str]:
    """A list of parameters or fields; none for none."""
    if not rows:
        return []
    lines = [f"- `{one['name']}`: {_prose(one['text']) or one.get('type', '')}" for one in rows]
    return ["", f"*{title}*", "", *lines]


def _option(action: argparse.Action) -> str:
    name = ", ".join(f"`{option}`" for option in action.option_strings) or f"`{action.metavar or action.dest}`"
    choices = ", ".join(map(str, action.choices or ()))
    text = (action.help or "") % {**vars(action), "choices": choices}
    return f"| {name} | {_cell(_prose(text))} |"


def _django() -> list[argparse.Action]:
    """Options that every command of Django has."""
    from django.core.management.base import BaseCommand

    return BaseCommand().create_parser("manage.py", "")._actions


def _parameters(function: Any) -> str:
    from tom_alerce import conf

    known = conf.options(function) if function is not None else {}
    plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in known.items()}
    return ", ".join(f"`{name}={value!r}`" for name, value in plain.items()) or "none"


def _first(module: Any) -> str:
    return (module.__doc__ or "").strip().split("\n\n")[0]


def _prose(text: str) -> str:
    """A text of the code as one paragraph of Markdown; what could be taken for a tag is not."""
    return " ".join(text.split()).replace("``", "`").replace("<", "&lt;") if "`" not in text else " ".join(text.split()).replace("``", "`")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")
