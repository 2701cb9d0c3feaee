"""Filters in words, for lists and messages."""

from __future__ import annotations

from followup.filters.discovery import known
from followup.filters.records import And, Condition, Not, Tree


def words(tree: Tree) -> str:
    """The tree as a sentence, such as 'magnitude < 19 and not (age (days) > 10)'."""
    if isinstance(tree, Condition):
        return _condition(tree)
    if isinstance(tree, Not):
        return f"not ({words(tree.item)})"
    if not tree.items:
        return "every object" if isinstance(tree, And) else "no object"
    parts = [words(item) if isinstance(item, Condition | Not) else f"({words(item)})" for item in tree.items]
    return (" and " if isinstance(tree, And) else " or ").join(parts) if len(parts) > 1 else words(tree.items[0])


def _condition(one: Condition) -> str:
    about = known()[one.name]
    named = f"{about.title} {' '.join(value for _, value in one.arguments)}".strip()
    if one.value is None:
        return f"{named} is {one.operator}"
    if isinstance(one.value, float):
        return f"{named} {one.operator} {one.value:g}{f' {about.unit}' if about.unit else ''}"
    listed = [f"{value:g}" if isinstance(value, float) else value for value in one.value]
    return f"{named} {one.operator} {' and '.join(listed) if one.operator == 'between' else ', '.join(listed)}"
