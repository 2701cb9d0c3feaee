from importlib import import_module
from io import StringIO
from pathlib import Path
from types import MappingProxyType

import pytest
from django.apps import apps
from django.core.management import call_command

from broker_adapters.surveys import ztf
from tests.tom_alerce.alerts import alert
from tom_alerce import migrations
from tom_alerce.models import SkyObject, SurveyObject
from tom_alerce.store import alerts


@pytest.mark.django_db
def test_migrations_are_complete():
    call_command("makemigrations", "tom_alerce", check=True, dry_run=True, stdout=StringIO())


@pytest.mark.django_db
def test_objects_that_are_here_get_age_and_count_from_the_metadata_of_their_alerts():
    """The rule of the migration is that of the store, for what the store keeps."""
    metadata = [
        {"jdstarthist": 2458430.9, "jdendhist": 2461000.4, "ndethist": 112, "ncovhist": 906},
        {"jdstarthist": 2458430.9, "jdendhist": None, "ndethist": 16, "ncovhist": None},
        {"jdstarthist": 2461001.9, "jdendhist": 2461000.4, "ndethist": 9, "ncovhist": 90},
        {"jdstarthist": 12.0, "ndethist": None},
        {},
    ]
    batch = [
        alert(object_id=f"ZTF26aaaaaa{'abcde'[i]}", dec=2.0 + i, metadata=MappingProxyType(one), lifetime=ztf.lifetime(one))
        for i, one in enumerate(metadata)
    ]
    alerts.save([*batch, alert("lsst", "170028526513684557")])
    rows = [
        (model, list(model.objects.order_by("pk").values("pk", *fields)))
        for model, fields in (
            (SkyObject, ("survey_first_mjd", "survey_n_detections")),
            (SurveyObject, ("survey_first_mjd", "survey_last_mjd", "survey_n_detections", "survey_n_images")),
        )
    ]
    SurveyObject.objects.update(survey_first_mjd=None, survey_last_mjd=None, survey_n_detections=None, survey_n_images=None)
    SkyObject.objects.update(survey_first_mjd=None, survey_n_detections=0)
    (name,) = (path.stem for path in Path(migrations.__path__[0]).glob("*_age_and_count.py"))
    import_module(f"tom_alerce.migrations.{name}").from_metadata(apps, None)
    for model, before in rows:
        after = list(model.objects.order_by("pk").values(*before[0]))
        assert [{k: pytest.approx(v) for k, v in row.items()} for row in before] == after
    assert SkyObject.objects.get(survey_objects__survey="lsst").survey_n_detections == 115
