"""Period and its significance (Sanchez-Saez et al. 2021, sec. 4.1; `classifiers.models.lightcurve.period`)."""

from __future__ import annotations

from classifiers.models.lightcurve.context import Context
from classifiers.models.lightcurve.period import FACTORS


def features(context: Context) -> dict[str, float]:
    """Multiband_period (d), PPE, Period_band and delta_period = |P - P_band| of each band, Power_rate at factors of the period."""
    period = context.period
    found = {"Multiband_period": period.period, "PPE": period.significance}
    for (suffix, _), own in zip(context.named_bands, period.bands, strict=True):
        found |= {f"Period_band{suffix}": own, f"delta_period{suffix}": abs(period.period - own)}
    return found | {f"Power_rate_{name}": rate for (name, _), rate in zip(FACTORS, period.rates, strict=True)}
