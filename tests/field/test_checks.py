"""Cases from the field that a system check tells before they cost a night."""

from django.core.checks import run_checks


def test_row_25_a_tom_without_time_zones_is_told_before_promotion_crashes(settings):
    settings.USE_TZ = False
    (message,) = [m for m in run_checks(tags=["tom_alerce"]) if m.id == "tom_alerce.E007"]
    assert message.is_serious()
    assert "USE_TZ" in message.msg
    settings.USE_TZ = True
    assert "tom_alerce.E007" not in [m.id for m in run_checks(tags=["tom_alerce"])]
