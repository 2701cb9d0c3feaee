"""Model card as a page: ``python -m classifiers.posterior.training.card > docs/model-cards/posterior.md``.

All figures are from ``card.json`` beside the weights, into which `train` and `quote` write them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from classifiers.posterior import storage
from classifiers.posterior.points import SETTLED
from classifiers.posterior.training import evaluation

HEAD = """# Posterior of supernovae, version {version}

Written by `python -m classifiers.posterior.training.card` from `classifiers/weights/posterior/card.json`; do not edit.

**Model.** One pass of a network of sets (points in any order, any band by its wavelength, limits too) gives the joint posterior of the
light curve's thirteen parameters (time and height of the peak, lag and colour of the r-like band, four of the shape in each family) as a
mixture of three normal distributions given each of SNIa, SNIbc, SNII and SLSN, and the probability of each. The curves are those of
`classifiers.models.lightcurve.supernova`. Keras trains it; NumPy runs it, {size:.2f} MB, SHA-256 `{sha256}`, which is checked at loading.

**What it is for.** When a transient peaks, how bright it will be, when it exploded, with intervals: `classifiers.posterior.infer`. It takes
everything for a supernova: whether it is one, the classifiers say. The peak is the vertex of a parabola through the whole light curve in g,
else in r, which is a day after the maximum of the model. Of an object that was seen more than {settled:.0f} days after its brightest
detection the peak and the first light are what was said {settled:.0f} days after it, since times count from the latest evidence and are
coarse long ago.

**Training.** {objects}. First on {simulated} simulated supernovae: the parameters of a real one, jittered, seen at the times, in the bands
and with the depth and errors of another; a quarter of them in ATLAS's or Rubin's bands, a quarter up to four magnitudes fainter in a survey
as much deeper, a fifth with forced measurements in place of limits. Then on the real ones themselves, cut in a random night, with the
parameters of the fit to all that was ever measured, drawn from its covariance, and the time of the peak that was seen. Last, in the
table of the time of the peak, the widths are multiplied by {temperatures[0]}, which fits objects that a network has not seen best; by
{temperatures[1]} and {temperatures[2]} for those of the two halves, each fitted to objects that are not among those it is judged by.
**The prior is that of supernovae that ZTF classified (most brighter than 19 at their peak), and a peak that was seen**:
what surveys find fainter is drawn towards them. `python -m classifiers train posterior --data DIR`
trains all three networks anew (seed {seed}).
"""

PROOF = """## Real light curves that it never saw

`python -m classifiers evaluate posterior --data DIR --json`: {cases} evenings of {objects} supernovae whose peak is known. The file has
three networks: that of all objects is served; two have seen one half of them each (by a hash of the name), and answer here for the other
half. The older fit (`classifiers.models.lightcurve.forecast`) is asked the same; its intervals and those of later points are taken as two
half normal distributions about the median, with the error of the point. Later points are the detections of 14 days; the density counts up
to 10 nats.

| | posterior | older fit |
|---|--:|--:|
"""

ROWS = {
    "coverage_50": "later points in the 50 % interval",
    "coverage_68": "in the 68 % interval",
    "coverage_90": "in the 90 % interval",
    "later_points_nll": "mean negative log density of later points, in units of their errors",
    "peak_coverage_68": "true peak in the 68 % interval",
    "peak_coverage_68_rising": "the same, predicted 3 to 10 d ahead",
    "peak_bias_rising_d": "median of predicted less true peak, d, predicted 3 to 10 d ahead",
    "peak_error_before_d": "SNIa 4 to 8 d before their true peak: median error, d",
    "peak_inside_before": "the same: truth in the 68 % interval",
    "us_per_object": "microseconds of one core an object, in batches of 256",
}

LIMITS = """## Where it must not be trusted

- `doubt` above 0.7 says that the likelihood and the network disagree: in {doubted} of {cases} evenings, mostly late ones with many points.
  The magnitudes ahead are wrong there (negative log density {doubted_later_nll} of the posterior, {doubted_later_nll_fit} of the older
  fit, where the mean of all is {later_points_nll}). Of the peaks {doubted_peak_coverage_68} are in the 68 % interval with a median error
  of {doubted_peak_error_d} d, by the older fit {doubted_peak_coverage_68_fit} with {doubted_peak_error_d_fit} d. As a whole neither is the
  better answer, so `fallback` is never set.
- The {settled:.0f} days after which old objects are not asked anew are the best of 25, 40, 60 and 90, tried on the objects of this page.
- With one or two detections the peak is said early (see the bins). A part of this is that only peaks that were seen can be compared,
  and what had peaked before it was found is among what was learnt; the other part is not explained.
- Given the *truth* (by the true time to the peak) any posterior leans towards its prior: long before the peak it is said early.
- Variables, novae, nuclei and asteroids get an answer as if they were supernovae.
- The time of first light is that of a fireball with the same rise; nothing here was compared with an explosion that was seen.
- Superluminous and other rare supernovae are few. Few real light curves of ATLAS and none of Rubin were learnt: their bands are simulated.
"""


def page(card: dict[str, Any]) -> str:
    """The card in Markdown."""
    objects = ", ".join(f"{n} {label}" for label, n in card["objects"].items())
    text = HEAD.format(size=card["bytes"] / 1e6, settled=SETTLED, **card | {"objects": objects})
    figures = card["evaluation"]
    text += "\n" + PROOF.format(**figures)
    for key, words in ROWS.items():
        text += f"| {words} | {figures[key]} | {figures[key + '_fit']} |\n"
    for name, words in (("detections", "Detections"), ("age", "Days since the first"), ("predicted", "Predicted days to the peak")):
        text += _bins(words, figures["peak_bins"][name], figures["peak_bins_fit"][name])
    text += _bins("Class", figures["peak_classes"], figures["peak_classes_fit"])
    return text + _calibration(card["calibration"]) + "\n" + LIMITS.format(settled=SETTLED, **figures)


def _bins(title: str, own: dict[str, Any], fit: dict[str, Any]) -> str:
    head = f"\n| {title} | cases | peak in 50 / 68 / 90 % | bias, d | error, d | older fit: cases | in 68 % | bias, d | error, d |\n"
    text = head + "|---|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    for name, one in own.items():
        covered, other = " / ".join(map(str, one["coverage"].values())), fit.get(name)
        beside = f"{other['n']} | {other['coverage']['68']} | {other['bias']} | {other['error']}" if other else " | | | "
        text += f"| {name} | {one['n']} | {covered} | {one['bias']} | {one['error']} | {beside} |\n"
    return text


def _calibration(found: dict[str, Any]) -> str:
    ranks = found["ranks"]
    text = f"""
## Simulated light curves

Ranks of the true parameters among 256 draws, {ranks["n"]} simulated supernovae not trained on, 16 bins (15 degrees of freedom), before the
network was tuned on real ones:

| parameter | chi2 | p | in 68 % |
|---|--:|--:|--:|
"""
    for name, one in ranks.items():
        if name != "n":
            text += f"| {name} | {one['chi2']} | {one['p']} | {one['coverage_68']} |\n"
    chains = found["chains"]
    return (
        text
        + f"""
Against chains of the likelihood of `supernova` and a prior (64 walkers, 2,000 steps, the class given; {chains["n"]} that converged), the
mean of the peak differs by {chains["mean_shift_sigma"]} sigma in the median, and the network's width is {chains["width_ratio"]} times
theirs ({chains["width_ratio_68"][0]} to {chains["width_ratio_68"][1]} for 68 % of the objects). The priors differ: the network's is the
population of real fits, that of the chains one normal distribution of shapes and flat in time and height.
"""
    )


def quote(data: Path, folder: Path = storage.SHIPPED) -> dict[str, Any]:
    """Measure the figures on a folder, and write them into the card beside the weights."""
    card = storage.card(folder) | {"evaluation": evaluation.evaluate(data, folder)}
    (folder / storage.CARD).write_text(json.dumps(card, indent=1, allow_nan=False) + "\n")
    return card


if __name__ == "__main__":
    if sys.argv[1:]:
        quote(Path(sys.argv[1]))
    print(page(storage.card()), end="")
