"""What the client answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

if TYPE_CHECKING:
    from astropy.table import Table
    from pandas import DataFrame

Record = TypeVar("Record", bound="_Answer")

#: Unit of a column as the API has it -> that of astropy, without what is said in brackets.
_UNITS = {"d": "d", "nJy": "nJy", "mag": "mag", "deg": "deg", "arcsec": "arcsec"}


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """Fields of an answer by name; all of it is in ``answer``."""

    answer: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls: type[Record], answer: Mapping[str, Any]) -> Record:
        """The record of an answer; a field that the TOM does not give keeps its default."""
        names = {one.name for one in fields(cls)} - {"answer"}
        return cls(**{name: answer[name] for name in names if name in answer}, answer=MappingProxyType(dict(answer)))


@dataclass(frozen=True, kw_only=True)
class SkyObject(_Answer):
    """A sky object: degrees (ICRS), arcseconds, MJD UTC; None where something is not known."""

    id: str
    name: str
    ra: float
    dec: float
    position_err: float | None = None
    target: str | None = None
    first_seen_mjd: float | None = None
    last_mjd: float | None = None
    n_seen: int = 0
    moving: bool = False


@dataclass(frozen=True, kw_only=True)
class Request(_Answer):
    """A request for an observation: its state, what would be sent, and what every guard says of it."""

    id: str
    sky_object: str
    state: str
    message: str
    facility: str
    instrument: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)
    hours: float | None = None
    observation_id: str = ""
    verdicts: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    events: Sequence[Mapping[str, Any]] = field(default=(), repr=False)

    @property
    def against(self) -> list[str]:
        """What stops it: guards that it has not passed, and that nobody has overridden, with their reasons."""
        return [f"{one['name']}: {one['reason']}" for one in self.verdicts if not (one["passed"] or one["overridden"])]


class Rows(Sequence[Mapping[str, Any]]):
    """Rows of a list, as the API gives them, in its order; as a table with `to_pandas` and `to_table`."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows = tuple(rows)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> Mapping[str, Any] | Rows:
        """A row, or some."""
        return Rows(self._rows[index]) if isinstance(index, slice) else self._rows[index]

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {len(self)}"

    def to_pandas(self) -> DataFrame:
        """A data frame with a column for each field; what is nested stays as it is."""
        import pandas as pd

        return pd.DataFrame(list(self._rows))

    def to_table(self) -> Table:
        """An astropy table: numbers as numbers, with NaN for what is not known, texts as texts, and all else as objects."""
        from astropy.table import Table

        names = dict.fromkeys(name for row in self._rows for name in row)
        return Table({name: _column([row.get(name) for row in self._rows]) for name in names})


class LightCurve(Rows):
    """A merged light curve: its measurements, the unit of each column, and the bands with their effective wavelengths (nm).

    Fluxes are nJy (AB) of the difference to the reference image, times MJD UTC.
    """

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(answer["points"])
        self.units: Mapping[str, str] = MappingProxyType(dict(answer["units"]))
        self.bands: Sequence[Mapping[str, Any]] = tuple(answer["bands"])

    def to_table(self) -> Table:
        """An astropy table with the units of its columns."""
        table = super().to_table()
        for name, unit in self.units.items():
            if name in table.colnames and table[name].dtype.kind == "f":
                table[name].unit = _UNITS.get(unit.split(" ")[0], unit)
        return table


def _column(values: Sequence[Any]) -> Any:
    """An array of one kind: of floats, whole numbers, truth values or texts, else of objects."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds and kinds <= {int, float} and (float in kinds or None in values):
        return np.array([np.nan if value is None else value for value in values], float)
    if kinds in ({int}, {bool}) and None not in values:
        return np.array(values)
    if kinds == {str}:
        return np.array(["" if value is None else value for value in values])
    column = np.empty(len(values), object)
    column[:] = values
    return column
