"""System checks: a wrong setting or a broken installation is one sentence at start, not a traceback at night.

They import neither TensorFlow nor the classifiers.
"""

from tom_alerce.checks.followup import check_facility, check_followup
from tom_alerce.checks.keeping import check_keep
from tom_alerce.checks.packages import check_packages, clashing
from tom_alerce.checks.people import check_groups, check_promotion, check_refusals
from tom_alerce.checks.plugins import check_brokers, check_catalogues, check_plugins
from tom_alerce.checks.settings import check_settings, check_streams, check_time_zones
from tom_alerce.checks.weights import check_weights

__all__ = [
    "check_brokers",
    "check_catalogues",
    "check_facility",
    "check_followup",
    "check_groups",
    "check_keep",
    "check_packages",
    "check_plugins",
    "check_promotion",
    "check_refusals",
    "check_settings",
    "check_streams",
    "check_time_zones",
    "check_weights",
    "clashing",
]
