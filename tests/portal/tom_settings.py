"""Settings of the TOM whose worker is spoilt: the demo's, on the portal's PostgreSQL, with short time-outs."""

import os

from astropy.utils import iers

from demo.settings import *  # noqa: F403
from tests.unguarded import UNGUARDED

iers.conf.auto_download = False
iers.conf.auto_max_age = None
TOM_ALERCE = {
    "FACILITY": {"name": "lco", "proposal": os.environ["LCO_PROPOSAL"]},
    "FACILITY_TIMEOUT": float(os.environ["SPOILT_TIMEOUT"]),
    "FACILITY_SETTLED": float(os.environ["SPOILT_TIMEOUT"]),
    "GUARDS": UNGUARDED,
}
