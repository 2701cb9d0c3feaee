"""Results of the Explorer as a file: CSV, which is streamed row by row, VOTable and Parquet, with units."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from django.http import FileResponse, Http404, HttpRequest, StreamingHttpResponse

from followup import filters
from followup.filters import Kind
from tom_alerce import visible
from tom_alerce.models import Traits
from tom_alerce.pages.access import viewers_only
from tom_alerce.pages.explorer import best, read
from tom_alerce.pages.exports import harmless
from tom_alerce.store import explore

#: Rows of a file at most.
MOST = 200_000
TYPES = {"csv": "text/csv; charset=utf-8", "vot": "application/x-votable+xml", "parquet": "application/vnd.apache.parquet"}
_TEXTS = {"name": "what it is called", "surveys": "surveys that have detected it", "classes": "most probable class by each classifier"}


@viewers_only
def file(request: HttpRequest, ending: str) -> Any:
    """``/alerce/explorer/objects.<ending>``: what the page of the same address shows, all pages of it, of `MOST` rows at most."""
    if ending not in TYPES:
        raise Http404(f"there is no file {ending}")
    asked = read(request)
    if asked.problem:
        raise Http404(asked.problem)
    parts = (_rows(part, request.user) for part in asked.search.every(asked.order, MOST))
    headers = {"Content-Disposition": f'attachment; filename="objects.{ending}"', "X-Content-Type-Options": "nosniff"}
    if ending == "csv":
        return StreamingHttpResponse(_csv(parts), content_type=TYPES[ending], headers=headers)
    made: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # the response closes it
    (_votable if ending == "vot" else _parquet)(made, parts)
    made.seek(0)
    return FileResponse(made, content_type=TYPES[ending], headers=headers)


def columns() -> Mapping[str, tuple[str, str]]:
    """Column -> unit and description, in the order of a file: key, name, then every field that is one number."""
    found = {"key": ("", "number of the object in this TOM"), "name": ("", _TEXTS["name"])}
    for one in filters.known().values():
        if one.key is None and one.kind not in (Kind.WORDS, Kind.PLACE):
            moment = one.kind is not Kind.NUMBER
            found[one.column] = ("d", f"{one.title}, MJD UTC") if moment else (_UNITS.get(one.unit, ""), one.help)
    return found | {name: ("", _TEXTS[name]) for name in ("surveys", "classes")}


#: Unit of a field as files have it (VOUnits).
_UNITS = {"d": "d", "°": "deg", "″": "arcsec", "Mpc": "Mpc", "mag/d": "mag.d**-1"}


def _rows(part: Sequence[Traits], user: visible.User) -> list[list[Any]]:
    """Rows of a file, with the names that the reader may see."""
    skies = explore.named(part)
    visible.reveal(user, list(skies.values()))
    numbers = [name for name in columns() if name not in ("key", *_TEXTS)]
    return [
        [one.pk, skies[one.pk].name, *(getattr(one, name) for name in numbers), one.surveys.strip(","), _classes(one.classes)]
        for one in part
        if one.pk in skies
    ]


def _classes(classes: Mapping[str, float]) -> str:
    return "; ".join(f"{classifier}: {label} {probability:g}" for classifier, label, probability in best(classes))


def _csv(parts: Iterable[list[list[Any]]]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns())
    for part in parts:
        writer.writerows([harmless(value) if isinstance(value, str) else value for value in row] for row in part)
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _parquet(file: IO[bytes], parts: Iterable[list[list[Any]]]) -> None:
    """Write one group of rows for each part."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"key": pa.int64()} | dict.fromkeys(_TEXTS, pa.string())
    schema = pa.schema(
        pa.field(name, kinds.get(name, pa.float64()), metadata={"unit": unit, "description": text})
        for name, (unit, text) in columns().items()
    )
    with pq.ParquetWriter(file, schema) as writer:
        for part in parts:
            arrays = [pa.array(values, kind.type) for values, kind in zip(zip(*part, strict=True), schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _votable(file: IO[bytes], parts: Iterable[list[list[Any]]]) -> None:
    from astropy.table import Column, MaskedColumn, Table

    rows = [row for part in parts for row in part]
    table = Table()
    for i, (name, (unit, text)) in enumerate(columns().items()):
        values = [row[i] for row in rows]
        if name in _TEXTS:
            column = Column(values, dtype=str if values else "U1")
        elif name == "key":
            column = Column(values, dtype="i8")
        else:
            unknown = [value is None for value in values]
            column = MaskedColumn([value or 0.0 for value in values], mask=unknown, dtype="f8")
        column.description, column.unit = text, unit or None
        table[name] = column
    table.write(file, format="votable")
