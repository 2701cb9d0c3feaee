"""Names of the Transient Name Server."""

import pytest

from broker_adapters import tns


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("SN2026asx", "SN 2026asx"),
        ("AT 2026A", "AT 2026A"),
        ("AT_2026asx", "AT 2026asx"),
        ("TDE 2019dsg", "TDE 2019dsg"),
        (" SN 1987A ", "SN 1987A"),
        ("2026 AB", None),  # an asteroid
        ("AT 2026AB", None),
        ("ZTF26aaaaaaa", None),
        ("ATLAS26abc", None),
        ("SN", None),
        ("", None),
    ],
)
def test_a_tns_name_is_recognised_and_nothing_else(name, written):
    assert tns.written(name) == written


def test_a_supernova_with_a_spectrum_is_called_so():
    assert tns.best(["ZTF26a", "AT2026asx", "SN 2026asx"]) == "SN 2026asx"
    assert tns.best(["AT2026bb", "AT 2026aa"]) == "AT 2026aa"
    assert tns.best(["ATLAS26abc"]) is None
    assert tns.spectroscopic("SN2026asx")
    assert not tns.spectroscopic("AT 2026asx")
