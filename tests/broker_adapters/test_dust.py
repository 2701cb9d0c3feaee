import numpy as np
import pytest

from broker_adapters.dust import EXTINCTION, reddening


def test_places_of_the_map():
    """Values of dustmaps 1.0.14 (``BHQuery``) at the same places: middle and cap of both halves."""
    found = reddening([229.30620743572354, 292.77728611209807, 14.750468617030087, 5.949948790270474],
                      [64.7967905823704, 43.53800076108978, 22.377712448741946, -9.045508212424089])  # fmt: skip
    np.testing.assert_allclose(found, [0.017, 0.128, 0.018, 0.029916], atol=1e-6)


def test_nothing_is_said_near_the_plane_or_nowhere():
    assert np.isnan(reddening([161.3, np.nan], [-59.7, 10.0])).all()
    assert reddening([], []).shape == (0,)


def test_everywhere_else_it_is_small_and_positive():
    random = np.random.default_rng(1)
    found = reddening(random.uniform(0, 360, 5000), np.degrees(np.arcsin(random.uniform(-1, 1, 5000))))
    assert np.nanmin(found) >= 0.0
    assert np.isnan(found).mean() == pytest.approx(0.19, abs=0.03)
    assert EXTINCTION["g"] > EXTINCTION["r"]
