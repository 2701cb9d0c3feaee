"""The network in NumPy: from inputs to a mixture of normal distributions of the parameters, given each class.

It does not depend on the order of the points: each is seen by itself, then again beside the mean and the maximum of all, and what four
attentions read is summarised. A component of the mixture is given by its weight, its mean and the lower triangle W that whitens it,
W (z - mean) ~ N(0, 1); so the first parameter, the time of the peak, is by itself normal with the deviation 1 / W[0, 0].
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from classifiers.posterior.curves import SIZE
from classifiers.posterior.inputs import Inputs, Singles
from classifiers.posterior.points import Floats
from classifiers.posterior.records import CLASSES

#: Components of a mixture, numbers of one triangle, attentions, and outputs given a class.
COMPONENTS = 3
TRIANGLE = SIZE * (SIZE + 1) // 2
ATTENTION = 4
OUTPUTS = COMPONENTS * (1 + SIZE + TRIANGLE)

#: Fields of `Weights` beside its layers.
FIXED = ("centre", "sigma", "temper")


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """Posteriors of n objects given each of 4 classes, mixtures of k components of the standardised parameters.

    Attributes
    ----------
    classes : shape (n, 4), probabilities
    weight : shape (n, 4, k)
    mean : shape (n, 4, k, 13)
    diagonal : shape (n, 4, k, 13), of the whitening triangle
    below : shape (n, 4, k, 78), the rest of it, row by row
    """

    classes: Floats
    weight: Floats
    mean: Floats
    diagonal: Floats
    below: Floats

    def of(self, which: int, label: int) -> Mixture:
        """Posterior of one object as if its class were known."""
        one = slice(which, which + 1)
        known = np.eye(len(CLASSES))[[label]]
        return Mixture(known, self.weight[one], self.mean[one], self.diagonal[one], self.below[one])


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Weights of the network by layer and kind, and what goes with them.

    The parameters less `centre` and over `sigma`, both (13,), are standardised; `temper` (1,) is a factor on the deviations of the time of
    the peak in the table of an outlook; curves are drawn without it.
    """

    arrays: dict[str, Singles] = field(repr=False)
    centre: Floats
    sigma: Floats
    temper: Floats

    def mixture(self, x: Inputs) -> Mixture:
        """Posteriors of n objects."""
        e = self._summary(x)
        classes = np.exp(log_softmax(self._dense("classes", e).astype(float), axis=1))
        common = self._dense("head1", e)
        hidden = _relu(common[:, None] + self.arrays["given.kernel"])
        out = (hidden.reshape(-1, hidden.shape[-1]) @ self.arrays["head2.kernel"] + self.arrays["head2.bias"]).astype(float)
        out = out.reshape(len(e), len(CLASSES), OUTPUTS)
        weight, mean, triangle = np.split(out, [COMPONENTS, COMPONENTS * (1 + SIZE)], axis=2)
        packed = triangle.reshape(len(e), len(CLASSES), COMPONENTS, TRIANGLE)
        shape = (len(e), len(CLASSES), COMPONENTS, SIZE)
        diagonal = np.exp(np.clip(packed[..., :SIZE], -4.0, 6.0))
        return Mixture(classes, np.exp(log_softmax(weight, axis=-1)), mean.reshape(shape), diagonal, packed[..., SIZE:])

    def _summary(self, x: Inputs) -> Singles:
        """Summary of each object, shape (n, 128)."""
        n = len(x.mjd)
        rows = x.used
        counts = rows.sum(axis=1)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        owner = np.repeat(np.arange(n), counts)
        h = _relu(self._dense("point1", x.each[rows]))
        h = _relu(self._dense("point2", h))
        pooled = np.concatenate([np.add.reduceat(h, starts) / counts[:, None], np.maximum.reduceat(h, starts), x.whole], axis=1)
        context = self._dense("context", pooled.astype(np.float32))
        h = _relu(h @ self.arrays["point3.kernel"] + context[owner])
        h = _relu(self._dense("point4", h))
        logits = self._dense("attention", h)
        attention = np.exp(logits - np.maximum.reduceat(logits, starts)[owner])
        attention /= np.add.reduceat(attention, starts)[owner]
        read = [np.add.reduceat(attention[:, k, None] * h, starts) for k in range(ATTENTION)]
        e = np.concatenate([*read, np.maximum.reduceat(h, starts), context, x.whole], axis=1)
        return _relu(self._dense("summary2", _relu(self._dense("summary1", e))))

    def _dense(self, name: str, x: Singles) -> Singles:
        y: Singles = x @ self.arrays[f"{name}.kernel"] + self.arrays[f"{name}.bias"]
        return y


def _relu(x: NDArray[Any]) -> Singles:
    positive: Singles = np.maximum(x, 0.0, out=x)
    return positive
