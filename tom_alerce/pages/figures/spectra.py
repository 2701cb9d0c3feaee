"""Spectra of a target as a figure, with the lines of the elements at the redshift of the object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tom_alerce.pages.figures.svg import Layer, Note, Plot, Tick, nice

#: Name of a line -> its wavelength in air, ångström (NIST atomic spectra database; Si II 6355 is the blend of 6347 and 6371).
LINES = (
    ("Ca II", 3934.8), ("Hγ", 4340.5), ("He II", 4685.7), ("Hβ", 4861.3), ("[O III]", 5006.8), ("Fe II", 5169.0), ("S II", 5453.8),
    ("He I", 5875.6), ("Na I", 5891.6), ("Si II", 6355.0), ("Hα", 6562.8), ("O I", 7774.0), ("Ca II", 8542.1),
)  # fmt: skip
#: Pixels of the figure, points of a spectrum that are drawn at most, and per cent of its fluxes that the axis leaves out at each end.
WIDTH, HEIGHT, MOST, CUT = 900, 300, 1200, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Wavelengths (ångström) and fluxes of one spectrum, shape (n,), and what to call it."""

    name: str
    wavelength: NDArray[np.float64]
    flux: NDArray[np.float64]


def draw(spectra: Sequence[Spectrum], redshift: float | None) -> Plot | None:
    """Draw spectra, each scaled to its median and one above the other, with `LINES` where a redshift is known; None without a spectrum."""
    good = [one for one in (_thinned(one) for one in spectra) if one is not None]
    if not good:
        return None
    low, high = min(float(one.wavelength[0]) for one in good), max(float(one.wavelength[-1]) for one in good)
    left, right, top, bottom = 12, WIDTH - 8, 26, HEIGHT - 18
    lane = (bottom - top) / len(good)

    def x(wavelength: float) -> float:
        return left + (wavelength - low) / (high - low) * (right - left)

    layers, notes = [], []
    for i, one in enumerate(good):
        floor, ceiling = np.percentile(one.flux, [CUT, 100.0 - CUT])
        share = np.clip((one.flux - floor) / max(ceiling - floor, 1e-300), 0.0, 1.0)
        base = top + lane * (i + 1) - 4
        points = (f"{x(w):.1f} {base - s * (lane - 8):.1f}" for w, s in zip(one.wavelength.tolist(), share.tolist(), strict=True))
        layers.append(Layer(f"line beside-{i % 6}", "M" + "L".join(points)))
        notes.append(Note(f"{right - 3.2 * len(one.name):.1f}", f"{base - lane + 18:.1f}", one.name))
    if redshift is not None:
        for name, rest in LINES:
            where = rest * (1.0 + redshift)
            if low < where < high:
                layers.append(Layer("zero", f"M{x(where):.1f} {top}V{bottom}"))
                notes.append(Note(f"{x(where):.1f}", f"{10 if LINES.index((name, rest)) % 2 else 20}", name))
    ticks = tuple(Tick(f"{x(v):.1f}", f"{v:g}") for v in nice(low, high, 8))
    known = "" if redshift is None else f", lines at z = {redshift:.4g}"
    summary = f"{len(good)} spectr{'a' if len(good) > 1 else 'um'}, {low:.0f} to {high:.0f} ångström{known}"
    return Plot(WIDTH, HEIGHT, left, right, top, bottom, tuple(layers), ticks, (), summary, "", (), tuple(notes))


def _thinned(one: Spectrum) -> Spectrum | None:
    """A spectrum in the order of its wavelengths, with at most `MOST` means of neighbouring points; None with fewer than two points."""
    known = np.isfinite(one.wavelength) & np.isfinite(one.flux) & (one.wavelength > 0.0)
    wavelength, flux = one.wavelength[known], one.flux[known]
    if len(wavelength) < 2 or np.ptp(wavelength) <= 0.0:
        return None
    order = np.argsort(wavelength, kind="stable")
    groups = min(len(order), MOST)
    parts = np.array_split(order, groups)
    means = [(wavelength[part].mean(), flux[part].mean()) for part in parts]
    w, f = np.array(means).T
    return Spectrum(one.name, w, f)
