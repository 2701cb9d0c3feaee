"""Age and count as surveys state them; those of ZTF objects that are here already come from the metadata of their stored alerts."""

import math

from django.db import migrations, models

#: MJD of 2017-10-01, before which ZTF has no image; half an exposure; and what dates may differ by, in days.
_BEGAN, _HALF, _TOLERANCE = 58027.0, 15.0 / 86400.0, 0.01
_NAMES = ("jdstarthist", "jdendhist", "ndethist", "ncovhist")
_FIELDS = ("survey_first_mjd", "survey_last_mjd", "survey_n_detections", "survey_n_images")


def from_metadata(apps, schema_editor):
    """Fill the columns of ZTF objects that do not move, and of their sky objects."""
    stamps, survey_objects, sky_objects = (apps.get_model("tom_alerce", name) for name in ("Stamps", "SurveyObject", "SkyObject"))
    stated = {}
    rows = stamps.objects.filter(survey_object__survey="ztf", survey_object__moving=False).order_by("pk")
    for owner, mjd, metadata in rows.values_list("survey_object", "mjd", "metadata").iterator(chunk_size=2000):
        stated.setdefault(owner, []).append(_stated(metadata, mjd))
    changed = []
    for one in survey_objects.objects.filter(survey="ztf", moving=False).iterator(chunk_size=2000):
        for name, best, values in zip(_FIELDS, (min, max, max, max), zip(*stated.get(one.pk, ())), strict=False):
            setattr(one, name, best((v for v in values if v is not None), default=None))
        changed.append(one)
    survey_objects.objects.bulk_update(changed, _FIELDS, batch_size=500)
    skies = {}
    for one in survey_objects.objects.filter(sky_object__in=sky_objects.objects.filter(survey_objects__survey="ztf")).iterator():
        skies.setdefault(one.sky_object_id, []).append(one)
    touched = list(sky_objects.objects.filter(survey_objects__survey="ztf").distinct())
    for sky in touched:
        ztf = [one for one in skies[sky.pk] if one.survey == "ztf"]
        first = min((one.survey_first_mjd for one in ztf if one.survey_first_mjd is not None), default=math.inf)
        if math.isfinite(first) and (sky.first_mjd is None or first < sky.first_mjd - _TOLERANCE):
            sky.survey_first_mjd = first
        others = sum(one.n_detections for one in skies[sky.pk] if one.survey != "ztf")
        sky.survey_n_detections = others + max(sum(one.n_detections for one in ztf), *(one.survey_n_detections or 0 for one in ztf))
    sky_objects.objects.bulk_update(touched, ("survey_first_mjd", "survey_n_detections"), batch_size=500)


def _stated(metadata, mjd):
    """(first, last, detections, images), None for what is missing or contradicts."""
    first, last, *counts = (_positive(metadata.get(name)) for name in _NAMES)
    first, last = (None if jd is None else jd - 2400000.5 + _HALF for jd in (first, last))
    last = last if last is not None and last >= _BEGAN else None
    if first is not None and not (_BEGAN <= first <= min(mjd, math.inf if last is None else last) + _TOLERANCE):
        first = last = None
    return first, last, *(None if n is None or n > 1_000_000 else int(n) or None for n in counts)


def _positive(value):
    return value if isinstance(value, (int, float)) and 0 < value < 1e9 else None


class Migration(migrations.Migration):
    dependencies = [("tom_alerce", "0007_width_of_names")]

    operations = [
        migrations.AddField(
            "skyobject",
            "survey_first_mjd",
            models.FloatField(null=True, help_text="first detection that a survey states, if earlier than first_mjd, MJD UTC"),
        ),
        migrations.AddField(
            "skyobject",
            "survey_n_detections",
            models.PositiveIntegerField(
                default=0, help_text="detections that surveys state, with those here of surveys that state none"
            ),
        ),
        migrations.AddField(
            "surveyobject",
            "survey_first_mjd",
            models.FloatField(null=True, help_text="first detection that the survey states, MJD UTC"),
        ),
        migrations.AddField(
            "surveyobject",
            "survey_last_mjd",
            models.FloatField(null=True, help_text="latest detection that the survey states, MJD UTC"),
        ),
        migrations.AddField(
            "surveyobject", "survey_n_detections", models.PositiveIntegerField(null=True, help_text="detections that the survey states")
        ),
        migrations.AddField(
            "surveyobject",
            "survey_n_images",
            models.PositiveIntegerField(null=True, help_text="images of the place that the survey states"),
        ),
        migrations.AddField(
            "surveyobject",
            "survey_doubts",
            models.JSONField(default=dict, blank=True, help_text="reason -> MJD of a date that is not believed"),
        ),
        migrations.RunPython(from_metadata, migrations.RunPython.noop),
    ]
