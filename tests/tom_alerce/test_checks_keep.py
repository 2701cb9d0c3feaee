"""What is wrong with a keep rule is said at start."""

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from tom_alerce import checks

GOOD = {"survey": "ztf", "label": "SN", "probability": 0.4, "moving": False, "regions": [(10.0, 2.0, 1.0)], "magnitude": 18, "before": 1}


@pytest.mark.parametrize(
    ("rule", "ids"),
    [
        (GOOD, []),
        ({"lable": "SN"}, ["W002"]),
        ({"label": 3, "probability": 2.0}, ["E006", "E006"]),
        ({"probability": 0.5}, ["E004"]),
        ({"stored": 1, "before": True, "regions": [(1.0, 2.0)], "reliability": "high"}, ["E006"] * 4),
    ],
)
def test_each_rule_is_checked(rule, ids):
    with override_settings(TOM_ALERCE={"KEEP": [rule]}):
        assert [m.id.removeprefix("tom_alerce.") for m in checks.check_keep()] == ids


def test_rules_that_are_no_list_are_one_message():
    with override_settings(TOM_ALERCE={"KEEP": {"label": "SN"}}):
        assert [m.msg for m in run_checks(tags=["tom_alerce"]) if m.id == "tom_alerce.E006"] == [
            "TOM_ALERCE['KEEP'] is a dictionary, where a list of dictionaries is wanted."
        ]
