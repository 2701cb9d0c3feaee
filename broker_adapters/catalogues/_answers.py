"""What remote catalogues share: reading their tables, turning columns into rows of the one record, and finding whose neighbour a row is."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from astropy.io.votable import parse
from numpy.typing import ArrayLike, NDArray

from broker_adapters.catalogue import MAGNITUDES, Sources, blank, frozen, nearest
from broker_adapters.crossmatch import match
from broker_adapters.errors import PacketError, SourceError, Unavailable
from broker_adapters.sources.http import Http, budget
from broker_adapters.values import floats

#: Columns of an answer, of one length.
Columns = Mapping[str, Sequence[Any]]

#: Positions in one question.
MANY = 50
_SENTINELS = (-99.0, -9999.0, 1e20)


def service(name: str, timeout: float, calls: int, seconds: float, **more: Any) -> Http:
    """A session with a service: one repetition, ten time-outs in all, and at most ``calls`` in ``seconds`` from this process."""
    return Http(name, timeout=timeout, retries=1, patience=5.0, limit=budget(name, calls, seconds), **more)


def of_votable(body: bytes) -> Columns:
    """Columns of the first table of a VOTable, by the lower-case names of its fields; none where it has no table.

    Raises
    ------
    SourceError
        The service says in it that the query failed.
    PacketError
        It is no VOTable, or a damaged one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            document = parse(io.BytesIO(body), verify="ignore")
            trouble = [
                one.value or one.content
                for resource in document.resources
                for one in (*resource.infos, *resource.params)
                if one.name == "Error" or (one.name == "QUERY_STATUS" and one.value not in ("OK", "OVERFLOW"))
            ]
            table = next(iter(document.iter_tables()), None)
            if table is None and trouble:
                raise SourceError(f"the service could not answer: {' '.join(str(trouble[0]).split())[:200]}")
            if table is None:
                return {}
            return {field.name.lower(): table.array[field.ID].tolist() for field in table.fields}
    except SourceError:
        raise
    except Exception as error:  # astropy's reader of VOTables raises whatever its parts do on damaged bytes
        raise PacketError(f"not a VOTable that can be read: {type(error).__name__}: {str(error)[:100]}") from error


def of_csv(text: str) -> Columns:
    """Columns of a table with a header and commas, by the names in its header; rows that do not fit to it are left out.

    Raises
    ------
    PacketError
        It is none.
    """
    try:
        header, *rows = [row for row in csv.reader(io.StringIO(text.replace("\x00", ""))) if row] or [[]]
    except csv.Error as error:
        raise PacketError(f"not a table with commas: {error}") from error
    if len(header) < 2:
        raise PacketError(f"not a table with commas: it begins with {text[:40]!r}")
    fitting = [row for row in rows if len(row) == len(header)]
    return {name: [row[k] for row in fitting] for k, name in enumerate(header)}


def required(columns: Columns, *names: str) -> Columns:
    """The columns, if these are among them or there are none at all; `PacketError` otherwise."""
    if missing := [name for name in names if columns and name not in columns]:
        raise PacketError(f"the answer lacks: {', '.join(missing)}")
    return columns


def numbers(columns: Columns, name: str, n: int) -> NDArray[np.float64]:
    """One column as numbers, shape (n,); NaN for sentinels and where it is absent."""
    values = floats([_single(value) for value in columns.get(name, ())])
    values = np.where(np.isin(values, _SENTINELS), np.nan, values)
    return values if len(values) == n else np.full(n, np.nan)


def _single(value: Any) -> Any:
    return None if isinstance(value, (list, tuple, dict, bool)) or value == "" else value


def texts(columns: Columns, name: str, n: int) -> list[str]:
    """One column as texts of at most 64 characters, '' for what is none."""
    values = ["" if value is None else str(value).strip()[:64] for value in columns.get(name, ())]
    return values if len(values) == n else [""] * n


def sources(columns: Columns, catalogue: str, fields: Mapping[str, str], bands: Mapping[str, str], name: str) -> Sources:
    """Rows of `SOURCE` from columns: ``fields`` maps ours to those of the answer, ``bands`` bands, ``name`` is the column of the id.

    Rows without a place keep NaN, so that columns and rows stay alike; `assigned` leaves them out.
    """
    n = len(next(iter(columns.values()), ()))
    rows = blank(n)
    rows["catalogue"] = catalogue
    for ours, theirs in fields.items():
        rows[ours] = numbers(columns, theirs, n)
    for band, theirs in bands.items():
        values = numbers(columns, theirs, n)
        rows["magnitudes"][:, MAGNITUDES.index(band)] = np.where((values > -3.0) & (values < 40.0), values, np.nan)
    rows["id"] = texts(columns, name, n)
    with np.errstate(invalid="ignore"):
        rows["redshift"] = np.where((rows["redshift"] > -0.1) & (rows["redshift"] < 15.0), rows["redshift"], np.nan)
    return rows


def assigned(rows: Sources, ra: ArrayLike, dec: ArrayLike, radius: float, mjd: ArrayLike | None) -> Sources:
    """The rows, each once, for every one of n positions (degrees) that they are within ``radius`` of, as `Catalogue.cone` gives them."""
    with np.errstate(invalid="ignore"):
        rows = rows[(rows["ra"] >= 0.0) & (rows["ra"] <= 360.0) & (np.abs(rows["dec"]) <= 90.0) & (rows["id"] != "")]
    rows = rows[np.unique(rows["id"], return_index=True)[1]]
    i, j, _ = match(ra, dec, rows["ra"], rows["dec"], radius + 60.0)  # what moves may come from further away
    rows = rows[j]
    rows["query"] = i
    return nearest(rows, ra, dec, radius, mjd)


def asked(
    ra: ArrayLike, dec: ArrayLike, radius: float, mjd: ArrayLike | None, ask: Callable[[NDArray[np.float64], NDArray[np.float64]], Sources],
    many: int = MANY,
) -> Sources:  # fmt: skip
    """What ``ask`` answers for n positions (degrees), ``many`` at a time, as `Catalogue.cone` gives it.

    Raises
    ------
    AdapterError
        As ``ask``; whatever else goes wrong with an answer is a `PacketError`.
    """
    place = np.array([np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))])
    known = place[:, np.isfinite(place).all(axis=0)]
    try:
        parts = [ask(*known[:, k : k + many]) for k in range(0, known.shape[1], many)]
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise PacketError(f"an answer that cannot be read: {type(error).__name__}: {str(error)[:100]}") from error
    return assigned(np.concatenate(parts), place[0], place[1], radius, mjd) if parts else frozen(blank(0))


def circles(ra: NDArray[np.float64], dec: NDArray[np.float64], radius: float, columns: tuple[str, str] = ("ra", "dec")) -> str:
    """Condition of ADQL: within ``radius`` arcseconds of any of n positions (degrees)."""
    point = f"POINT('ICRS', {columns[0]}, {columns[1]})"
    return " OR ".join(
        f"1 = CONTAINS({point}, CIRCLE('ICRS', {a:.7f}, {d:.7f}, {radius / 3600.0:.7f}))" for a, d in zip(ra, dec, strict=True)
    )


def tap(http: Http, url: str, query: str) -> Columns:
    """Columns of the answer of a TAP service to a query of ADQL; see `of_votable`."""
    form = {"REQUEST": "doQuery", "LANG": "ADQL", "FORMAT": "votable", "MAXREC": "5000", "QUERY": query}
    answer = http.post(url, form, accept=(400,), repeatable=True)
    columns = of_votable(answer.body)
    if answer.status == 400:
        raise SourceError(f"{answer.name} refused the query")
    return columns


def listed(value: Any, service: str) -> Iterator[Mapping[str, Any]]:
    """The objects in a JSON list; `Unavailable` where it is none."""
    if not isinstance(value, list):
        raise Unavailable(f"{service} answered with a {type(value).__name__} where a list was expected")
    return (one for one in value if isinstance(one, Mapping))
