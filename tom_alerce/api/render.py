"""Answers as CSV and as Parquet: one row for each result, what is nested as JSON in its cell."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from tom_alerce.pages.exports import harmless


def rows_of(data: Any) -> list[dict[str, Any]]:
    """Rows of an answer: of a page its results, of a list its items, of anything else itself; nested values as JSON, columns alike."""
    found = data["results"] if isinstance(data, Mapping) and "results" in data else data
    listed = found if isinstance(found, list) else [found]
    rows = [one if isinstance(one, Mapping) else {"value": one} for one in listed]
    columns = dict.fromkeys(name for row in rows for name in row)
    return [{name: _cell(row.get(name)) for name in columns} for row in rows]


def _cell(value: Any) -> Any:
    if isinstance(value, (Mapping, list, tuple)):
        return json.dumps(value, default=str)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


class Csv(BaseRenderer):
    """Comma-separated values with a line of headings; no text is a formula of a spreadsheet."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None) -> bytes:
        """The table."""
        rows = rows_of(data)
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows({name: harmless(value) if isinstance(value, str) else value for name, value in row.items()} for row in rows)
        return out.getvalue().encode()


class Parquet(BaseRenderer):
    """Apache Parquet, compressed; a column of which no type fits all values is text."""

    media_type = "application/vnd.apache.parquet"
    format = "parquet"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None) -> bytes:
        """The table."""
        import pyarrow as pa  # only who asks for it pays for it
        from pyarrow import parquet

        rows = rows_of(data)
        columns = {name: _alike([row[name] for row in rows]) for name in (rows[0] if rows else {})}
        out = io.BytesIO()
        parquet.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), out, compression="zstd")
        return out.getvalue()


def _alike(values: list[Any]) -> list[Any]:
    """A column of one type: whole numbers become floats beside floats, everything becomes text beside text."""
    types = {type(value) for value in values if value is not None}
    if len(types) < 2:
        return values
    as_one: Any = float if types == {int, float} else str
    return [None if value is None else as_one(value) for value in values]
