"""What is at the places of candidates: the galaxy that each lies in, how far that is, and the star that it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The places of n objects; `places[i]` is that of one. The arrays are read-only, and NaN is what is not known.

    Attributes
    ----------
    host : ndarray, shape (n,)
        Probability that the object belongs to a galaxy of the catalogues.
    galaxy : ndarray of str, shape (n,)
        The likeliest one; '' where there is none.
    separation : ndarray, shape (n,)
        Arcseconds from its centre.
    distance : ndarray, shape (n,)
        Luminosity distance, Mpc.
    told_by : ndarray of str, shape (n,)
        Who says so: 'host', 'TNS' or 'person' (who chose the host, or said that it is none of the catalogued); '' where nobody does.
    star : ndarray of str, shape (n,)
        The nearest star of the catalogues within some arcseconds; '' where there is none.
    star_separation : ndarray, shape (n,)
        Arcseconds from it, where it was at the latest detection.
    """

    host: Floats
    galaxy: NDArray[np.str_]
    separation: Floats
    distance: Floats
    told_by: NDArray[np.str_]
    star: NDArray[np.str_]
    star_separation: Floats

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for name in _NAMES:
            value = np.asarray(getattr(self, name)).view()
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.host)

    def __getitem__(self, i: int) -> Places:
        """Return the place of one object."""
        return type(self)(*(getattr(self, name)[i : i + 1 or None] for name in _NAMES))

    @classmethod
    def unknown(cls, n: int) -> Places:
        """Places of n objects of which nothing is known."""
        numbers, texts = np.full(n, np.nan), np.full(n, "")
        return cls(numbers, texts, numbers, numbers, texts, texts, numbers)

    @classmethod
    def stack(cls, parts: Sequence[Places]) -> Places:
        """Return the places of several records in one; of none, an empty one."""
        given = parts or [cls.unknown(0)]
        return cls(*(np.concatenate([getattr(part, name) for part in given]) for name in _NAMES))

    def catalogued(self) -> Places:
        """What catalogues alone say, which was known before the objects: nothing where TNS or a person has said something."""
        said = np.isin(self.told_by, ("TNS", "person"))
        cleared: dict[str, Any] = {name: np.where(said, np.nan, getattr(self, name)) for name in ("host", "separation", "distance")}
        cleared |= {name: np.where(said, "", getattr(self, name)) for name in ("galaxy", "told_by")}
        return Places(**cleared, star=self.star, star_separation=self.star_separation)


_NAMES = tuple(field.name for field in fields(Places))
