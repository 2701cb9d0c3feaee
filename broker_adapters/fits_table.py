"""Read one binary table of a FITS file from untrusted bytes: columns of numbers, within bounds, without astropy's many ways to fail.

The format is the FITS standard 4.0, sections 4 and 7.3. Tables with a heap, scaled columns and columns of text are not what maps are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_adapters.errors import PacketError

_BLOCK, _CARD = 2880, 80
#: Blocks of a header, and columns of a table at most.
_LONGEST, _COLUMNS = 64, 64
_NUMBERS = {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}
_OTHERS = {"L": "V1", "A": "V1", "X": "V1", "C": "V8", "M": "V16"}
_FORM = re.compile(r"(\d{0,9})([A-Z])")


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table: its header, and its columns by name in capitals."""

    header: Mapping[str, str]
    columns: Mapping[str, NDArray[np.generic]]

    def floats(self, name: str) -> NDArray[np.float64]:
        """A column as float64, flat: healpy writes 1024 pixels into one row."""
        return np.ascontiguousarray(self._column(name), np.float64).ravel()

    def integers(self, name: str) -> NDArray[np.int64]:
        """A column of integers."""
        column = self._column(name)
        if column.dtype.kind not in "iu":
            raise PacketError(f"the column {name} of a table has no integers")
        return np.ascontiguousarray(column, np.int64).ravel()

    def _column(self, name: str) -> NDArray[np.generic]:
        column = self.columns.get(name)
        if column is None:
            raise PacketError(f"the table has no column {name}")
        return column


def table(data: bytes, most: int) -> Table:
    """The first binary table of a FITS file, of at most ``most`` numbers in a column.

    Raises
    ------
    PacketError
        Damaged, hostile, or no table.
    """
    position = 0
    while position < len(data):
        header, start = _header(data, position)
        if header.get("XTENSION") == "BINTABLE":
            return Table(header, _columns(data, header, start, most))
        position = start + -(-_size(header) // _BLOCK) * _BLOCK
    raise PacketError("no table in the FITS file of a map")


def _header(data: bytes, position: int) -> tuple[dict[str, str], int]:
    """Keywords of the header that begins there, with values as text, and where its data begin."""
    values: dict[str, str] = {}
    for start in range(position, min(len(data), position + _LONGEST * _BLOCK), _CARD):
        card = data[start : start + _CARD].decode("latin-1")
        name = card[:8].rstrip()
        if start == position and name not in ("SIMPLE", "XTENSION"):
            raise PacketError("damaged FITS in a map: it does not begin with a header")
        if name == "END":
            return values, position + -(-(start - position + _CARD) // _BLOCK) * _BLOCK
        if card[8:10] == "= ":
            text = card[10:].strip()
            value = text[1:].partition("'")[0] if text.startswith("'") else text.partition("/")[0]
            values.setdefault(name, value.strip())
    raise PacketError("damaged FITS in a map: a header does not end")


def _whole(header: Mapping[str, str], name: str, default: str = "") -> int:
    text = header.get(name, default)
    if not re.fullmatch(r"-?\d{1,12}", text):
        raise PacketError(f"damaged FITS in a map: {name} is {text!r:.30}")
    return int(text)


def _size(header: Mapping[str, str]) -> int:
    """Bytes of the data behind a header."""
    axes = [_whole(header, f"NAXIS{i + 1}") for i in range(min(_whole(header, "NAXIS", "0"), 9))]
    size = abs(_whole(header, "BITPIX", "8")) // 8 if axes else 0
    for length in axes:
        size *= length
    size = (size + _whole(header, "PCOUNT", "0")) * _whole(header, "GCOUNT", "1")
    if size < 0 or any(length < 0 for length in axes):
        raise PacketError("damaged FITS in a map: a size below zero")
    return size


def _columns(data: bytes, header: Mapping[str, str], start: int, most: int) -> dict[str, NDArray[np.generic]]:
    width, rows, n = (_whole(header, name) for name in ("NAXIS1", "NAXIS2", "TFIELDS"))
    if width < 1 or rows < 0 or not 0 < n <= _COLUMNS:
        raise PacketError(f"damaged FITS in a map: {rows} rows of {n} columns and {width} bytes")
    if len(data) - start < width * rows:
        raise PacketError(f"a truncated map: {max(len(data) - start, 0)} bytes of {width * rows}")
    found: dict[str, NDArray[np.generic]] = {}
    offset = 0
    for i in range(1, n + 1):
        form = _FORM.match(header.get(f"TFORM{i}", ""))
        repeat, code = (int(form[1] or "1"), form[2]) if form else (0, "")
        if code not in _NUMBERS and code not in _OTHERS:
            raise PacketError(f"damaged FITS in a map: a column of the kind {header.get(f'TFORM{i}', '')!r:.20}")
        kind = np.dtype(_NUMBERS.get(code) or _OTHERS[code])
        length = repeat * kind.itemsize if code != "X" else -(-repeat // 8)
        if offset + length > width or repeat * rows > most:
            raise PacketError(f"a map with columns of {repeat * rows} numbers, of {most} at most, or wider than its rows")
        name = header.get(f"TTYPE{i}", "").upper()
        if code in _NUMBERS and repeat and name:
            found.setdefault(name, np.ndarray((rows, repeat), kind, data, start + offset, (width, kind.itemsize)))
        offset += length
    return found
