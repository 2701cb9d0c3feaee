"""The posterior of transients as tables: when they peak, how bright they will be, when they exploded; and those tables as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers.records import ClassifierError

__all__ = ["AHEAD", "CLASSES", "DAYS", "DOUBTFUL", "FAMILIES", "QUANTILES", "Outlooks"]

Numbers: TypeAlias = NDArray[np.floating[Any]]
Floats: TypeAlias = NDArray[np.float64]

#: Band families of the magnitudes: those of `classifiers.models.lightcurve.series`, which is heavy to import.
FAMILIES = ("g", "r")

#: Classes that the time of the peak is conditional on.
CLASSES = ("SNIa", "SNIbc", "SNII", "SLSN")

#: Days from `Outlooks.mjd` + `Outlooks.shift` of the distribution of the time of the peak, and from `Outlooks.mjd` of the magnitudes.
DAYS = np.concatenate([np.arange(-100.0, -60.0, 8.0), np.arange(-60.0, -20.0, 2.0), np.arange(-20.0, 31.0), np.arange(32.0, 61.0, 2.0)])
AHEAD = np.arange(0.0, 31.0)

#: The 68 % interval and the median.
QUANTILES = (0.16, 0.5, 0.84)

#: Pareto k (`Outlooks.doubt`) above which an outlook is not reliable.
DOUBTFUL = 0.7

#: One outlook as bytes: probabilities in 65,535ths; millimagnitudes, of which the largest is NaN. The first byte is the layout's version.
LAYOUT = np.dtype(
    [
        ("version", "u1"),
        ("fallback", "u1"),
        ("mjd", "<f8"),
        ("peak_cdf", "<u2", (len(CLASSES), len(DAYS))),
        ("classes", "<u2", len(CLASSES)),
        ("magnitude", "<u2", (len(FAMILIES), len(QUANTILES), len(AHEAD))),
        ("peak_magnitude", "<u2", (len(FAMILIES), len(QUANTILES))),
        ("explosion", "<f4", len(QUANTILES)),
        ("doubt", "<f4"),
        ("shift", "<f4"),
    ]
)
VERSION, WHOLE, PER_MAGNITUDE = 2, 65535, 1000.0
PROBABILITIES, MAGNITUDES = ("peak_cdf", "classes"), ("magnitude", "peak_magnitude")


@dataclass(frozen=True, slots=True, eq=False)
class Outlooks:
    """Outlooks of n objects; `outlooks[i]` is that of one. The arrays are read-only.

    Attributes
    ----------
    mjd : float64, shape (n,)
        The moment it was made for: that of the latest evidence.
    peak_cdf : float32, shape (n, 4, 91)
        Probability of each of `CLASSES` that the peak is before `mjd` + `shift` + `DAYS`: that in g, or in r of light curves without
        it, as the vertex of a parabola through the whole light curve.
    classes : float32, shape (n, 4)
        Probability of each class by the light curve alone, given a supernova.
    magnitude : float32, shape (n, 2, 3, 31)
        By family, quantiles (16, 50, 84 %) of the AB magnitude of the difference flux at `mjd` + `AHEAD`; NaN where the flux may be zero.
    peak_magnitude : float32, shape (n, 2, 3)
        The same at the peak of each family.
    explosion : float32, shape (n, 3)
        Quantiles of the time of first light in days from `mjd`.
    doubt : float32, shape (n,)
        Pareto k of the weights by the likelihood itself; above 0.7 the posterior is not reliable. NaN where it was not measured.
    fallback : bool, shape (n,)
        Whether the older fit answers instead.
    shift : float32, shape (n,)
        Days by which the table of the peak is moved: negative where the peak was long ago, so that the table is fine about it.
    """

    mjd: Numbers
    peak_cdf: Numbers
    classes: Numbers
    magnitude: Numbers
    peak_magnitude: Numbers
    explosion: Numbers
    doubt: Numbers
    fallback: NDArray[np.bool_]
    shift: Numbers = field(default_factory=lambda: np.zeros(1))

    def __post_init__(self) -> None:
        """Give every array its type and make it read-only; a `ClassifierError` names one of another shape."""
        n = len(self.mjd)
        for name in _NAMES:
            dtype = {"mjd": np.float64, "fallback": np.bool_}.get(name, np.float32)
            value = np.asarray(getattr(self, name), dtype).view()
            if name == "shift" and len(value) == 1:
                value = np.broadcast_to(value, n)
            if value.shape != (n, *LAYOUT[name].shape):
                raise ClassifierError(f"{name} of outlooks has shape {value.shape}, not {(n, *LAYOUT[name].shape)}")
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.mjd)

    def __getitem__(self, which: int | slice | NDArray[Any]) -> Outlooks:
        """Return the outlook of one object, or those of several: a view where NumPy gives one."""
        if isinstance(which, int | np.integer):
            which = slice(which, which + 1 or None)
        return type(self)(**{name: getattr(self, name)[which] for name in _NAMES})

    @classmethod
    def stack(cls, parts: Sequence[Outlooks]) -> Self:
        """Return the outlooks of several records in one; of none, an empty one."""
        if not parts:
            return cls.unpack([])
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES})

    def near_peak(self, at: ArrayLike, within: float = 4.0, weights: ArrayLike | None = None) -> Floats:
        """Probability that the peak is within so many days of each moment, shape (n, t).

        Parameters
        ----------
        at : shape (t,) or (n, t)
            MJD.
        within : float
            Days.
        weights : shape (n, 4), optional
            Probabilities of `CLASSES`, `classes` where they are not given. They are used as they are: where they do not sum to one, the
            rest has no peak.
        """
        return self.before(np.add(at, within), weights) - self.before(np.subtract(at, within), weights)

    def before(self, at: ArrayLike, weights: ArrayLike | None = None) -> Floats:
        """Probability that the peak is before each moment, shape (n, t); parameters as of `near_peak`."""
        days = np.broadcast_to(np.asarray(at, float) - self._zero[:, None], (len(self), np.shape(at)[-1]))
        return _interpolated(self._cdf(self.classes if weights is None else weights), DAYS, days)

    def peak(self, weights: ArrayLike | None = None) -> Floats:
        """Quantiles (16, 50, 84 %) of the MJD of the peak, shape (n, 3).

        `weights`, of shape (n, 4) and any sum, are as in `near_peak`. A quantile beyond `DAYS` is at their end; without a weight it is NaN.
        """
        shares = np.asarray(self.classes if weights is None else weights, float)
        total = shares.sum(axis=1, keepdims=True)
        quantiles = np.full((len(self), len(QUANTILES)), np.nan)
        cdf = self._cdf(shares / np.where(total > 0, total, np.nan))
        for i in np.flatnonzero(np.isfinite(cdf[:, 0])):
            quantiles[i] = np.interp(QUANTILES, cdf[i], DAYS)
        moments: Floats = self._zero[:, None] + quantiles
        return moments

    def at(self, mjd: ArrayLike, family: str) -> Floats:
        """Magnitudes (16, 50, 84 %) of a family at moments of shape (t,) or (n, t), shape (n, 3, t); NaN beyond `AHEAD`."""
        days = np.broadcast_to(np.asarray(mjd, float) - self.mjd[:, None], (len(self), np.shape(mjd)[-1]))
        found = _interpolated(self.magnitude[:, FAMILIES.index(family)], AHEAD, np.repeat(days[:, None], len(QUANTILES), axis=1))
        inside: Floats = np.where(((days >= AHEAD[0]) & (days <= AHEAD[-1]))[:, None], found, np.nan)
        return inside

    def pack(self) -> list[bytes]:
        """Return each outlook as bytes of a fixed layout, n of them; `unpack` is the inverse, to 1.5e-5 and 0.001 mag."""
        rows = np.zeros(len(self), LAYOUT)
        rows["version"] = VERSION
        for name in _NAMES:
            value = getattr(self, name)
            if name in PROBABILITIES:
                value = np.rint(value * np.float32(WHOLE))
            elif name in MAGNITUDES:
                value = np.nan_to_num(np.clip(np.rint(value * PER_MAGNITUDE), 0, WHOLE - 1), nan=WHOLE)
            rows[name] = value
        return [row.tobytes() for row in rows]

    @staticmethod
    def readable(packed: bytes) -> bool:
        """Whether these bytes are an outlook of this layout: those of another one are worked out anew."""
        return len(packed) == LAYOUT.itemsize and packed[0] == VERSION

    @classmethod
    def unpack(cls, packed: Sequence[bytes]) -> Self:
        """Return the outlooks of the bytes of `pack`; bytes of another length or version are a `ClassifierError`."""
        for one in packed:
            if not cls.readable(one):
                raise ClassifierError(f"no outlook of version {VERSION}: {len(one)} bytes that begin with {one[:1].hex() or 'nothing'}")
        rows = np.frombuffer(b"".join(packed), LAYOUT)
        values: dict[str, Any] = {name: rows[name] for name in _NAMES}
        for name in PROBABILITIES:
            values[name] = rows[name] / np.float32(WHOLE)
        for name in MAGNITUDES:
            values[name] = np.where(rows[name] == WHOLE, np.nan, rows[name] / PER_MAGNITUDE)
        return cls(**values)

    @property
    def _zero(self) -> Floats:
        """MJD from which `DAYS` count, shape (n,)."""
        zero: Floats = self.mjd + self.shift.astype(float)
        return zero

    def _cdf(self, weights: ArrayLike) -> Floats:
        """Distribution of the time of the peak over all classes, shape (n, 91)."""
        mixed: Floats = np.einsum("nc,ncd->nd", np.asarray(weights, float), self.peak_cdf)
        return mixed


_NAMES = tuple(one.name for one in fields(Outlooks))


def _interpolated(table: NDArray[Any], days: Floats, at: Floats) -> Floats:
    """Values of tables (..., m) for these days, linear between them, at days of shape (..., t); constant beyond the ends."""
    position = np.nan_to_num(np.interp(at, days, np.arange(len(days))))
    low = np.minimum(position.astype(np.intp), len(days) - 2)
    left, right = (np.take_along_axis(table, k, axis=-1) for k in (low, low + 1))
    share = position - low
    between: Floats = np.where(share == 0, left, np.where(share == 1, right, left + share * (right - left)))
    return between
