"""Decode image stamps: bytes as surveys send them (FITS, gzipped or not) to arrays, quickly and within bounds.

Nearly all stamps are one plain image of 32-bit floats. Its header is read here, with a result bit-equal to that of `astropy.io.fits`, which
reads all other files. The sizes that gzip or a header claim are checked before memory is allocated.
"""

from __future__ import annotations

import warnings
import zlib
from io import BytesIO

import numpy as np
from astropy.io import fits
from isal import igzip_lib, isal_zlib
from numpy.typing import NDArray

from broker_adapters.errors import PacketError
from broker_adapters.records import Cutouts

Image = NDArray[np.float32]

#: Stamps have 30 to 80 pixels a side and, with Rubin's variance and PSF included, a tenth of a megabyte.
MAX_SIDE, MAX_BYTES = 512, 8 << 20
_BLOCK, _CARD = 2880, 80
_GZIP = b"\x1f\x8b"


def images(cutouts: Cutouts | None) -> Image | None:
    """Science, template and difference, shape (3, height, width), NaN for one that is missing; None where all are.

    Sizes are as the survey cut them, smaller at the edge of a detector: nothing is padded or resampled here.

    Raises
    ------
    PacketError
        A stamp is damaged, or they differ in size.
    """
    files = () if cutouts is None else (cutouts.science, cutouts.template, cutouts.difference)
    stamps = [decode(f) if f else None for f in files]
    shapes = {s.shape for s in stamps if s is not None}
    if not shapes:
        return None
    if len(shapes) > 1:
        raise PacketError(f"stamps of one alert differ in size: {sorted(shapes)}")
    missing = np.full(shapes.pop(), np.nan, np.float32)
    return np.stack([missing if s is None else s for s in stamps])


def decode(data: bytes) -> Image:
    """The first image of a FITS file, gzipped or not, shape (height, width), as float32.

    Raises
    ------
    PacketError
        Damaged, not FITS, or larger than any stamp.
    """
    if data[:2] == _GZIP:
        data = _unzipped(data)
    if len(data) > MAX_BYTES:
        raise PacketError(f"stamp of {len(data)} bytes; at most {MAX_BYTES} are read")
    header = _plain_header(data)
    return _by_astropy(data) if header is None else _plain_image(data, *header)


def _unzipped(data: bytes) -> bytes:
    """The bytes in a gzip file, which may have several members; what follows them and is none is ignored, as by gzip itself."""
    parts: list[bytes] = []
    size = 0
    while data[:2] == _GZIP:
        unzip = isal_zlib.decompressobj(wbits=31)
        try:
            parts.append(unzip.decompress(data, MAX_BYTES - size + 1))
        except (zlib.error, igzip_lib.IsalError) as error:  # type: ignore[misc]  # its stub types an instance
            raise PacketError(f"damaged gzip in a stamp: {error}") from error
        size += len(parts[-1])
        if not unzip.eof or size > MAX_BYTES:
            raise PacketError(f"stamp truncated, or unpacks to more than {MAX_BYTES} bytes")
        data = unzip.unused_data
    return b"".join(parts)


def _plain_header(data: bytes) -> tuple[int, int, int] | None:
    """Height, width and start of the pixels, if this is a plain image of floats; None if astropy must look."""
    values: dict[bytes, bytes] = {}
    for start in range(0, min(len(data), 64 * _BLOCK), _CARD):
        card = data[start : start + _CARD]
        name = card[:8].rstrip()
        if name == b"END":
            break
        if card[8:10] == b"= ":
            values.setdefault(name, card[10:].partition(b"/")[0].strip())
    else:
        return None
    plain = values.get(b"SIMPLE") == b"T" and values.get(b"BITPIX") == b"-32" and values.get(b"NAXIS") == b"2"
    try:
        scale, zero = float(values.get(b"BSCALE", b"1")), float(values.get(b"BZERO", b"0"))
        width, height = int(values[b"NAXIS1"]), int(values[b"NAXIS2"])
    except (KeyError, ValueError):
        return None
    if not plain or scale != 1.0 or zero != 0.0:
        return None
    return height, width, -(-(start + _CARD) // _BLOCK) * _BLOCK


def _plain_image(data: bytes, height: int, width: int, start: int) -> Image:
    _check_size((height, width))
    if len(data) - start < 4 * height * width:
        raise PacketError(f"stamp truncated: {len(data) - start} bytes of pixels for {height} x {width}")
    return np.frombuffer(data, ">f4", height * width, start).reshape(height, width).astype(np.float32)


def _by_astropy(data: bytes) -> Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the standard's letter
            with fits.open(BytesIO(data), memmap=False, lazy_load_hdus=True) as file:
                for hdu in file:
                    if hdu.is_image and hdu.header.get("NAXIS", 0):
                        _check_size(hdu.shape)
                        return np.ascontiguousarray(hdu.data, np.float32)
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, MemoryError) as error:
        raise PacketError(f"damaged FITS in a stamp: {type(error).__name__} {error!s:.120}") from error
    raise PacketError("no image in the FITS file of a stamp")


def _check_size(shape: tuple[int, ...]) -> None:
    if len(shape) != 2 or not all(0 < side <= MAX_SIDE for side in shape):
        raise PacketError(f"no stamp: an image of {' x '.join(map(str, shape))} pixels; at most {MAX_SIDE} x {MAX_SIDE} are read")
