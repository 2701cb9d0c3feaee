"""Stamps are bit-equal to what astropy reads, and neither gzip nor a header can claim more than a stamp has."""

import gzip
import warnings
from io import BytesIO

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from broker_adapters.cutouts import MAX_BYTES, decode, images
from broker_adapters.errors import PacketError
from broker_adapters.packets import read as read_packet
from broker_adapters.records import Cutouts
from broker_adapters.sources.files import packets
from tests.broker_adapters import build


def fits_file(*hdus):
    stream = BytesIO()
    fits.HDUList(list(hdus)).writeto(stream)
    return stream.getvalue()


def by_astropy(data):
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ZTF's first card is not to the letter of the standard
        with fits.open(BytesIO(data)) as file:
            return np.asarray(file[0].data, np.float32)


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 70), st.integers(1, 70)), elements=st.floats(width=32)), st.booleans())
def test_bit_equal(image, zipped):
    data = fits_file(fits.PrimaryHDU(image))
    found = decode(gzip.compress(data) if zipped else data)
    assert found.dtype == np.float32
    assert found.shape == image.shape
    assert np.array_equal(found, image, equal_nan=True)


@pytest.mark.parametrize(
    "hdu",
    [
        fits.PrimaryHDU(np.arange(6.0).reshape(2, 3)),
        fits.PrimaryHDU(np.arange(6, dtype=np.int16).reshape(2, 3)),
        fits.PrimaryHDU(np.arange(6, dtype=np.uint16).reshape(2, 3)),  # BZERO
        fits.CompImageHDU(np.arange(6, dtype=np.float32).reshape(2, 3)),
    ],
    ids=["double", "integer", "unsigned", "compressed"],
)
def test_what_is_less_plain_is_left_to_astropy(hdu):
    data = fits_file(hdu) if isinstance(hdu, fits.PrimaryHDU) else fits_file(fits.PrimaryHDU(), hdu)
    assert decode(data).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_rubins_first_image_is_the_stamp():
    alert = read_packet(build.packet("lsst"))
    assert images(alert.cutouts).tolist() == build.stamps(30).tolist()


def test_missing_stamps():
    one = fits_file(fits.PrimaryHDU(np.ones((61, 42), np.float32)))
    stack = images(Cutouts(science=one, difference=one))
    assert stack.shape == (3, 61, 42)
    assert np.isnan(stack[1]).all()
    assert (stack[[0, 2]] == 1).all()
    assert images(Cutouts()) is None is images(None)
    other = fits_file(fits.PrimaryHDU(np.ones((61, 61), np.float32)))
    with pytest.raises(PacketError, match="differ in size"):
        images(Cutouts(science=one, template=other))


def header(**cards):
    lines = {"SIMPLE": "T", "BITPIX": -32, "NAXIS": 2, "NAXIS1": 3, "NAXIS2": 2, **cards}
    return "".join(f"{k:8}= {v!s:>20}".ljust(80) for k, v in lines.items()).encode() + b"END".ljust(80)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SIMPLE",
        b"\x1f\x8b",
        gzip.compress(b"nothing", mtime=0),
        gzip.compress(bytes(MAX_BYTES + 1), mtime=0),
        gzip.compress(bytes(10**8), mtime=0),
        gzip.compress(fits_file(fits.PrimaryHDU(np.ones((9, 9), np.float32))), mtime=0)[:-9],
        fits_file(fits.PrimaryHDU()),
        fits_file(fits.PrimaryHDU(np.ones(9, np.float32))),
        fits_file(fits.PrimaryHDU(np.ones((2, 3, 4), np.float32))),
        fits_file(fits.PrimaryHDU(np.ones((63, 63), np.float32)))[:9000],
        header(NAXIS1=10**9, NAXIS2=10**9).ljust(5760),
        header(NAXIS1=-5).ljust(5760),
        header(NAXIS1=0).ljust(5760),
        header(BITPIX=-64, NAXIS1=10**6, NAXIS2=10**6).ljust(5760),
        header(NAXIS=999).ljust(5760),
        header(NAXIS1="'x'").ljust(5760),
        b"SIMPLE  =".ljust(5760),
        bytes(MAX_BYTES + 1),
    ],
)
def test_damaged_or_hostile(data):
    with pytest.raises(PacketError):
        decode(data)


@pytest.mark.real_data
def test_every_real_stamp_is_bit_equal(real_data):
    count = 0
    for packet in packets([real_data / "dev/alerts/ztf", real_data / "dev/alerts/atlas", real_data / "dev/alerts/lsst"]):
        cutouts = read_packet(packet.data, history=False).cutouts
        for data in (cutouts.science, cutouts.template, cutouts.difference):
            if data is not None:
                found, expected = decode(data), by_astropy(data)
                assert found.shape == expected.shape
                assert found.tobytes() == expected.tobytes()
                count += 1
    assert count > 1700
