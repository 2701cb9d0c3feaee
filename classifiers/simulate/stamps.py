"""Simulated image triplets of every stamp class with their metadata: labelled, seeded, realistic enough for training.

Only detectable sources are returned: each is measured on its own difference image and drawn anew until it is above the limit. The class
sets the source (``_origins``, ``artefacts``), sky and camera set the images (``render``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.records import ClassifierError
from classifiers.simulate import metadata
from classifiers.simulate._psf import Images
from classifiers.simulate.instruments import Instrument, instrument
from classifiers.simulate.population import draw
from classifiers.simulate.render import Conditions, ordinary, render

#: Alerts per batch, which bounds the memory (about 100 MB).
BATCH = 128
#: Draws of an alert after which the given conditions are an error, since nothing is detectable in them.
ATTEMPTS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """Simulated alerts, n of them, with labels.

    Attributes
    ----------
    stamps : ndarray of float32, shape (n, 3, size, size)
        Science, template, difference in the survey's units (counts, or nJy for LSST); NaN where there is no data. Where the
        instrument flips it, the difference of an alert with ``isdiffpos`` 'f' is template minus science.
    labels : tuple of str
        Classes of ``taxonomy.STAMP``.
    columns : dict of str to ndarray, shape (n,)
        Metadata under the names of ZTF's schema; NaN = none.
    """

    stamps: Images
    labels: tuple[str, ...]
    columns: dict[str, NDArray[Any]]

    @property
    def metadata(self) -> list[dict[str, Any]]:
        """Metadata as a dict of plain Python values for each alert; None where unknown."""
        names = list(self.columns)
        rows = zip(*(self.columns[name].tolist() for name in names), strict=True)
        return [{k: None if isinstance(v, float) and v != v else v for k, v in zip(names, row, strict=True)} for row in rows]


def simulate(
    classes: Sequence[str], rng: np.random.Generator, survey: str = "ztf", size: int | None = None, conditions: Conditions | None = None
) -> Simulated:
    """Simulate one alert of each given class, in that order; the same generator state gives the same alerts.

    ``survey`` is ztf, atlas (which sends no template: the caller drops it) or lsst; ``size`` the side of the cutouts in
    pixels, the survey's own by default; ``conditions`` those of the n exposures, drawn by default. Raises ``ClassifierError``
    for an unknown class or survey, or if nothing is detectable under the given conditions.
    """
    camera = instrument(survey)
    label = np.asarray(classes, dtype=str)
    side = size or camera.size
    stamps = np.empty((len(label), 3, side, side), np.float32)
    columns: dict[str, NDArray[Any]] = {}
    # similar fields together, since a batch is as large as its richest field
    order = np.argsort(label, kind="stable")
    for start in range(0, len(label), BATCH):
        rows = order[start : start + BATCH]
        given = None if conditions is None else conditions.take(rows)
        stamps[rows], found = _batch(label[rows], given, camera, side, rng)
        for name, values in found.items():
            columns.setdefault(name, np.empty(len(label), values.dtype))[rows] = values
    return Simulated(stamps, tuple(label.tolist()), columns)


def _batch(
    label: NDArray[np.str_], given: Conditions | None, camera: Instrument, size: int, rng: np.random.Generator
) -> tuple[Images, dict[str, NDArray[Any]]]:
    """Simulate a batch; each alert is drawn until it is detected."""
    stamps = np.empty((len(label), 3, size, size), np.float32)
    columns: dict[str, NDArray[Any]] = {}
    missing = np.arange(len(label))
    for _ in range(ATTEMPTS):
        how = ordinary(camera, missing.size, rng) if given is None else given.take(missing)
        image, found = _attempt(label[missing], how, camera, size, rng)
        seen = found["magpsf"] < found["diffmaglim"]
        stamps[missing[seen]] = image[seen]
        for name, values in found.items():
            columns.setdefault(name, np.empty(len(label), values.dtype))[missing[seen]] = values[seen]
        missing = missing[~seen]
        if not missing.size:
            return stamps, columns
    raise ClassifierError(f"no {', '.join(sorted(set(label[missing].tolist())))} is bright enough to be found under these conditions")


def _attempt(
    label: NDArray[np.str_], how: Conditions, camera: Instrument, size: int, rng: np.random.Generator
) -> tuple[Images, dict[str, NDArray[Any]]]:
    """Simulate one alert each, detected or not."""
    drawn = draw(label.tolist(), how, camera, size, rng)
    image = render(drawn.scene, drawn.how, camera, rng, drawn.extra, size)
    columns = metadata.measure(image[:, 2], drawn, rng) | metadata.drawn_columns(drawn, camera, rng)
    if camera.flips:
        image[columns["isdiffpos"] == "f", 2] *= -1
    image.transpose(0, 2, 3, 1)[drawn.holes] = np.nan
    return image, columns
