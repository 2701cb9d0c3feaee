"""Options that several commands share."""

from __future__ import annotations

import argparse

from astropy.time import Time
from django.core.management.base import CommandParser


def add_night(parser: CommandParser) -> None:
    """Add ``--site`` and ``--now``."""
    parser.add_argument("--site", help="name of an observing site (default: TOM_ALERCE['SITE'])")
    parser.add_argument("--now", type=mjd, metavar="TIME", help="rank as of this time, MJD or ISO, UTC (default: now)")


def add_profiles(parser: CommandParser) -> None:
    """Add ``--profile``, which may be given several times, and ``--all-profiles``."""
    which = parser.add_mutually_exclusive_group()
    text = "name of a science case to rank by, may be given several times (default: TOM_ALERCE['PROFILES'])"
    which.add_argument("--profile", action="append", default=[], metavar="NAME", help=text)
    which.add_argument("--all-profiles", action="store_true", help="rank by every profile in use")


def mjd(text: str) -> float:
    """Parse a number or an ISO date and time of the years 1858 to 2132 as MJD, UTC."""
    try:
        value = float(text)
    except ValueError:
        try:
            value = float(Time(text.removesuffix("Z"), scale="utc").mjd)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"neither MJD nor ISO time: {text!r}") from error
    if not 0.0 <= value < 1e5:
        raise argparse.ArgumentTypeError(f"not between the years 1858 and 2132: {text!r}")
    return value


def positive(text: str) -> int:
    """Parse a whole number above zero."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"not a whole number above zero: {text!r}")
    return int(text)


def count(text: str) -> int:
    """Parse a whole number, zero too."""
    return 0 if text == "0" else positive(text)
