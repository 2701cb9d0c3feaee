"""The table of all fields in the documentation: ``python -m followup.filters.reference docs/filters.md`` writes it anew."""

from __future__ import annotations

import sys
from pathlib import Path

from followup.filters.discovery import families
from followup.filters.records import OPERATORS, Argument, Field, Kind

BEGIN, END = "<!-- fields: begin -->", "<!-- fields: end -->"
#: Kind -> what a condition compares with.
_VALUES = {Kind.NUMBER: "number", Kind.SINCE: "days", Kind.UNTIL: "days", Kind.WORDS: "words", Kind.PLACE: "circle"}


def table() -> str:
    """The table in Markdown: field, what it compares with, and what it is."""
    rows = ["| field | value | meaning |", "|---|---|---|"]
    rows += [_row(name, one) for own in families().values() for name, one in own.items()]
    return "\n".join(rows)


def operators() -> str:
    """The operators of each kind of value, as a list in Markdown."""
    said: dict[str, tuple[str, ...]] = {_VALUES[kind]: own for kind, own in OPERATORS.items()}
    return "\n".join(f"- {value}: {', '.join(f'`{operator}`' for operator in own)}" for value, own in said.items())


def written(page: str) -> str:
    """A page with what stands between the marks made anew."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{operators()}\n\n{table()}\n\n{END}{rest.partition(END)[2]}"


def _row(name: str, one: Field) -> str:
    limits = f" from {one.low:g} to {one.high:g}" if one.kind is Kind.NUMBER and (one.low, one.high) == (0.0, 1.0) else ""
    value = f"{_VALUES[one.kind]}{limits}{f', {one.unit}' if one.unit and one.kind is Kind.NUMBER else ''}"
    value += f": {', '.join(f'`{word}`' for word in one.choices)}" if one.choices else ""
    arguments = "".join(f"; `{key}`: {_argument(about)}" for key, about in one.arguments.items())
    return f"| `{name}` | {value} | {_plain(one.help)}{arguments} |"


def _argument(about: Argument) -> str:
    choices = "" if about.open or not about.choices else f" ({', '.join(f'`{word}`' for word in about.choices)})"
    return f"{about.help}{choices}{f', `{about.default}` if not given' if about.default else ''}"


def _plain(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(written(path.read_text()))
