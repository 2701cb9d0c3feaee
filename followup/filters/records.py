"""The nouns of filters: fields, conditions, trees of them, and the columns that they are evaluated over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from followup.errors import FollowupError

if TYPE_CHECKING:
    from followup.batch import Batch

#: Numbers, shape (n,), NaN where not known; or of each object its numbers by key, or its words between commas (`joined`).
Column: TypeAlias = NDArray[np.float64] | Sequence[Mapping[str, float]] | Sequence[str]
#: Column -> its values for n objects.
Columns: TypeAlias = Mapping[str, Column]
#: What a condition compares with: nothing, a number, two of them, a cone (degrees), or words.
Value: TypeAlias = float | tuple[float, ...] | tuple[str, ...] | None


class FilterError(FollowupError):
    """A filter that cannot be used; the message begins with the place, such as ``and[1].value: ``."""


class Kind(Enum):
    """What a field is: it decides the operators, and what they compare with."""

    #: A number.
    NUMBER = "number"
    #: Days from the moment that the column has (MJD, UTC) to now.
    SINCE = "since"
    #: Days from now to the moment that the column has (MJD, UTC).
    UNTIL = "until"
    #: Words, of which an object has none, one or several.
    WORDS = "words"
    #: A place on the sky: the columns ``x``, ``y`` and ``z`` of its unit vector.
    PLACE = "place"


#: Operators of each kind.
OPERATORS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys((Kind.NUMBER, Kind.SINCE, Kind.UNTIL), ("<", "<=", ">", ">=", "between", "missing", "known"))
    | {Kind.WORDS: ("any of", "none of"), Kind.PLACE: ("within", "outside")}
)


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a field, such as the class of a probability: a word out of ``choices``, or any text where they are ``open``."""

    help: str
    choices: tuple[str, ...] = ()
    default: str | None = None
    open: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """Something that is known of an object.

    Attributes
    ----------
    title, help, unit : str
        Words for people; '' for what has no unit.
    kind : Kind
    values : callable
        Of a batch and a moment (MJD, UTC): its column, shape (n,), as it was known then.
    column : str
        Name of the column, which the table of stored values has as well; '' for the words that the store looks up.
    low, high : float
        Limits of a value that makes sense.
    choices : tuple of str
        The words, where there are no others.
    arguments : mapping of name to Argument
        With arguments the column has numbers by key.
    key, base : callable
        Of the values of the arguments: the key; and the key that an object must have for a key that it lacks to be 0 (None: then it is
        not known).
    """

    title: str
    help: str
    kind: Kind = Kind.NUMBER
    values: Callable[[Batch, float], Column] = field(kw_only=True)
    column: str = field(kw_only=True)
    unit: str = ""
    low: float = -np.inf
    high: float = np.inf
    choices: tuple[str, ...] = ()
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    key: Callable[[Mapping[str, str]], str] | None = None
    base: Callable[[Mapping[str, str]], str | None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Condition:
    """A field, an operator and a value; what is not known of an object meets no condition but ``missing``."""

    name: str
    operator: str
    value: Value = None
    arguments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class And:
    """Every one of these; of none, every object."""

    items: tuple[Tree, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of these; of none, no object."""

    items: tuple[Tree, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """What this does not hold for, be it known or not."""

    item: Tree


Tree: TypeAlias = And | Or | Not | Condition


def joined(words: Sequence[str]) -> str:
    """Words as one text with a comma before and after each, sorted, each once; '' for none."""
    return f",{','.join(sorted(set(words)))}," if words else ""
