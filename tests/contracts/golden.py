"""Golden input of plug-ins: files with, beside each, what must be read from it (the same name, ending in ``.json``).

Those of our own plug-ins are in ``tests/data``, those of a third party in ``data`` beside its module. The expectation of an alert has
``alert`` (survey, object id, source id, moving), ``where`` (ra, dec, MJD) and ``rows``: survey, source id, kind, band, MJD, flux, its
error, reference flux, its error.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data"
THEIRS = Path(__file__).parent / "third_party" / "data"


def folder(name: str) -> Path:
    """Where the golden input of a plug-in is."""
    return (THEIRS if "." in name else DATA) / name.rpartition(".")[2]


def inputs(name: str) -> list[Path]:
    """The golden input of a plug-in, sorted."""
    return sorted(p for p in folder(name).rglob("*") if p.is_file() and p.suffix != ".json")


def cases(names):
    """pytest parameters (name, path) of every golden input of these plug-ins."""
    return [pytest.param(name, path, id=f"{name}-{path.stem}") for name in names for path in inputs(name)]


def matches(alert, expected) -> None:
    """Assert that an alert is the expected one: identity exactly, numbers to single precision, times to 1e-9 days."""
    assert [alert.survey, alert.object_id, alert.source_id, alert.moving] == expected["alert"]
    assert [alert.ra, alert.dec, alert.mjd] == pytest.approx(expected["where"], abs=1e-9)
    assert len(alert.detections) == len(expected["rows"])
    for row, values in zip(alert.detections.tolist(), expected["rows"], strict=True):
        survey, source_id, kind, mjd, band, *fluxes = row[:9]
        assert [survey, source_id, kind, band] == values[:4]
        assert mjd == pytest.approx(values[4], abs=1e-9)
        assert fluxes == pytest.approx(values[5:], rel=1e-6, nan_ok=True)


def expectation(path: Path):
    return json.loads(path.with_suffix(".json").read_text())
