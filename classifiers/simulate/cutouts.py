"""Cutouts of a simulated source at its alerts, and the survey's data on its environment; the field is the same in all alerts."""

from __future__ import annotations

from typing import Any

import numpy as np

from broker_adapters.photometry import flux_from_counts, magnitude_from_flux
from broker_adapters.records import Detections
from classifiers.simulate import metadata, shapes
from classifiers.simulate._galaxies import Galaxies
from classifiers.simulate._origins import DRAW, Origins
from classifiers.simulate._psf import Images
from classifiers.simulate.instruments import INSTRUMENTS
from classifiers.simulate.population import Population, draw
from classifiers.simulate.render import Conditions, Points, Scene, ordinary, render
from classifiers.simulate.sources import Source
from classifiers.taxonomy import BRANCH, STAMP

#: Fields of ZTF's packets on the environment of a source, as opposed to the measurement itself.
ENVIRONMENT = (
    *(f"{name}{i}" for name in ("sgscore", "distpsnr") for i in (1, 2, 3)),
    *("distnr", "magnr", "sigmagnr", "chinr", "sharpnr", "classtar"),
)


def simulate_cutouts(source: Source, alerts: Detections, random: np.random.Generator) -> tuple[Images, list[dict[str, Any]]]:
    """Simulate science, template and difference image of k alerts of one source in one survey, and the other fields of ZTF packets.

    Images are of shape (k, 3, size, size) in the units of the instrument, NaN where there is no data. The difference of a source
    that has faded is template minus science where the instrument flips it.
    """
    survey = str(alerts["survey"][0])
    camera = INSTRUMENTS[survey]
    kind = stamp_class(source.label)
    field = np.random.default_rng([source.seed, sorted(INSTRUMENTS).index(survey)])
    origin = None if kind == "bogus" else _origin(source, kind, alerts)
    drawn = draw([kind], ordinary(camera, 1, field), camera, camera.size, field, origin)
    k = len(alerts)
    how = drawn.how.take(np.zeros(k, np.intp)) if kind == "bogus" else ordinary(camera, k, random)
    images = render(_scene(drawn, source, alerts), how, camera, random, np.repeat(drawn.extra, k, axis=0), camera.size)
    if camera.flips:
        images[alerts["flux"] < 0, 2] *= -1
    images.transpose(0, 2, 3, 1)[np.repeat(drawn.holes, k, axis=0)] = np.nan
    if survey != "ztf":
        return images, [{} for _ in range(k)]
    columns = metadata.drawn_columns(drawn, camera, field)
    around = {name: columns[name][0].item() for name in ENVIRONMENT if name in columns}
    return images, [{**around, **shape} for shape in _shapes(images[:, 2], alerts, how)]


def _shapes(difference: Images, alerts: Detections, how: Conditions) -> list[dict[str, Any]]:
    """Measurements on each image: the shape, the width of the PSF, and the magnitude in an aperture."""
    found = shapes.measure(difference)
    units = flux_from_counts(found.pop("ap"), how.zero_point)
    found["magap"] = magnitude_from_flux(units)
    found["magdiff"] = found["magap"] - magnitude_from_flux(np.abs(alerts["flux"]))
    found["fwhm"] = how.seeing
    return [dict(zip(found, values, strict=True)) for values in zip(*(column.tolist() for column in found.values()), strict=True)]


def stamp_class(label: str) -> str:
    """Class of the stamp classifier for a label of a source."""
    if label in STAMP:
        return label
    return "AGN" if label in ("QSO", "Blazar") else {"Transient": "SN"}.get(BRANCH[label], "VS")


def _origin(source: Source, kind: str, alerts: Detections) -> Origins:
    """Source of the class (`_origins`) with the brightness of this one; the host keeps its brightness relative to the nucleus."""
    one = DRAW[kind](1, np.random.default_rng(source.seed))
    flux = alerts["flux"][:1].astype(float)
    nucleus = magnitude_from_flux(np.array([source.reference.get(str(alerts["band"][0]), np.nan)]))
    shift = np.nan_to_num(nucleus - one.nucleus) if kind == "AGN" else 0.0
    values = {name: getattr(one, name) for name in Origins.__slots__}
    mine = {"change": magnitude_from_flux(np.abs(flux)), "sign": np.sign(flux), "nucleus": nucleus, "host": one.host + shift}
    return Origins(**(values | mine))


def _scene(drawn: Population, source: Source, alerts: Detections) -> Scene:
    """Scene at each of k alerts: that of the first alert with the measured brightness of the source."""
    k = len(alerts)
    change, constant, hosts = drawn.scene.change, drawn.scene.constant, drawn.scene.hosts
    total = change.flux.sum()
    flux = change.flux / total * alerts["flux"][:, None] if total else np.repeat(change.flux, k, axis=0)
    still = np.repeat(constant.flux, k, axis=0)
    if source.reference:
        still[:, 0] = [source.reference[str(band)] for band in alerts["band"]]
    return Scene(
        Points(flux, np.repeat(change.y, k, axis=0), np.repeat(change.x, k, axis=0)),
        Points(still, np.repeat(constant.y, k, axis=0), np.repeat(constant.x, k, axis=0)),
        Galaxies(*(np.repeat(getattr(hosts, name), k, axis=0) for name in Galaxies.__slots__)),
    )
