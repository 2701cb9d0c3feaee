"""Filters: conditions on what is known of an object, as data. The same tree is evaluated here over columns, and by the store in SQL."""

from followup.filters.columns import of, used
from followup.filters.discovery import families, known
from followup.filters.evaluate import passing
from followup.filters.records import OPERATORS, And, Columns, Condition, Field, FilterError, Kind, Not, Or, Tree
from followup.filters.tree import body, parse
from followup.filters.words import words

__all__ = [
    "OPERATORS",
    "And",
    "Columns",
    "Condition",
    "Field",
    "FilterError",
    "Kind",
    "Not",
    "Or",
    "Tree",
    "body",
    "families",
    "known",
    "of",
    "parse",
    "passing",
    "used",
    "words",
]
