import io

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from broker_adapters import tns_table
from broker_adapters.tns_table import Named
from tests.broker_adapters.test_tns_table import archive
from tests.tom_alerce import factories
from tom_alerce.models import SkyObject, TnsName, TnsObject
from tom_alerce.store import tns
from tom_alerce.store.candidates import candidates

pytestmark = pytest.mark.django_db


def named(objid=1, name="2026abc", ra=150.0, dec=2.0, **fields):
    known = {
        "prefix": "AT", "type": "", "redshift": None, "discovered": 61000.0, "magnitude": 18.0, "filter": "g", "group": "ZTF",
        "internal_names": (),
    }  # fmt: skip
    return Named(objid=objid, name=name, ra=ra, dec=dec, **(known | fields))


def test_a_table_is_loaded_and_what_has_changed_is_written_alone():
    first = [named(1), named(2, "2026abd", 10.0, internal_names=("ZTF26a", "ATLAS26b"))]
    assert tns.load(first, whole=True) == tns.Loaded(2, 2, 0)
    assert tns.load(first, whole=True) == tns.Loaded(2, 0, 0)
    changed = [first[0]._replace(prefix="SN", type="SN Ia"), first[1]]
    assert tns.load(changed, whole=True) == tns.Loaded(2, 1, 0)
    assert str(TnsObject.objects.get(pk=1)) == "SN 2026abc"
    assert set(TnsName.objects.values_list("name", flat=True)) == {"ZTF26a", "ATLAS26b"}
    assert TnsObject.objects.get(pk=2).internal_names == ["ZTF26a", "ATLAS26b"]


def test_changes_remove_nothing_and_neither_does_an_empty_table():
    tns.load([named(1), named(2, "2026abd", 10.0)], whole=True)
    assert tns.load([named(3, "2026abe", 20.0)], whole=False).removed == 0
    assert tns.load([], whole=True).removed == 0
    assert TnsObject.objects.count() == 3
    assert tns.load([named(3, "2026abe", 20.0)], whole=True).removed == 2


def test_the_nearest_within_the_radius_is_found_wherever_it_is():
    tns.load([named(1, ra=0.0001, dec=0.0), named(2, "2026abd", 359.9999, 0.0), named(3, "2026abe", 10.0, 89.9999)], whole=True)
    found = tns.near([0.0, 359.99995, 190.0, 77.0, float("nan")], [0.0, 0.0, 89.9999, 0.0, 0.0])
    assert [one and one.pk for one in found] == [1, 2, 3, None, None]
    assert tns.near([], []) == []


def test_an_object_is_recognised_by_a_name_of_its_survey_or_its_place():
    by_name, by_place, mover = (factories.sky_object(ra=ra) for ra in (10.0, 20.0, 30.0))
    SkyObject.objects.filter(pk=mover.pk).update(moving=True)
    tns.load([named(1, ra=10.01, internal_names=(by_name.survey_objects.get().object_id,)), named(2, "2026abd", 20.0002, 2.0),
              named(3, "2026abe", 30.0)], whole=True)  # fmt: skip
    found = tns.of(list(SkyObject.objects.all()))
    assert {pk: one.pk for pk, one in found.items()} == {by_name.pk: 1, by_place.pk: 2}


def test_names_of_tns_become_aliases_and_a_class_makes_an_object_known():
    sky = factories.sky_object(ra=150.0)
    tns.load([named(1)], whole=True)
    assert tns.give_names(0.0) == 1
    assert tns.give_names(0.0) == 0
    assert "AT 2026abc" in SkyObject.objects.get(pk=sky.pk).public_names
    [candidate] = candidates(SkyObject.objects.all())
    assert not candidate.classified
    tns.load([named(1, type="CV")], whole=True)
    [candidate] = candidates(SkyObject.objects.all())
    assert candidate.classified
    tns.load([named(1, prefix="SN", type="SN Ia")], whole=True)
    tns.give_names(0.0)
    assert SkyObject.objects.get(pk=sky.pk).public_name == "SN 2026abc"


def test_names_reach_the_target():
    target = factories.target(name="Mine", ra=150.0)
    factories.sky_object(ra=150.0, target=target)
    tns.load([named(1)], whole=True)
    tns.give_names(0.0)
    assert "AT 2026abc" in {alias.name for alias in target.aliases.all()}


def test_the_command_reads_a_file(tmp_path):
    path = tmp_path / "table.zip"
    path.write_bytes(archive())
    factories.sky_object(ra=179.9776408, dec=26.0688879)
    out = io.StringIO()
    call_command("alerce_catalogues", "fetch", "tns", file=path, stdout=out)
    assert "3 objects read, 3 new or changed, 0 removed; 1 of our objects got a name" in out.getvalue()


def test_the_command_asks_with_the_account_of_the_settings(monkeypatch):
    asked = {}
    monkeypatch.setattr(tns_table.Client, "table", lambda self, hour=None: asked.update(hour=hour, url=self._url) or archive())
    with override_settings(
        DATA_SERVICES={"TNS": {"bot_id": 1, "bot_name": "b", "api_key": "k", "base_url": "https://sandbox.wis-tns.org/api"}}
    ):
        call_command("alerce_catalogues", "fetch", "tns", hour=3, stdout=io.StringIO())
    assert asked == {"hour": 3, "url": "https://sandbox.wis-tns.org"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("tns",), "bot_id"), (("galaxies",), "--to"), (("tns", "--file", "/nowhere/table.zip"), "nowhere")],
)
def test_the_command_says_what_is_missing(arguments, message):
    with override_settings(DATA_SERVICES={}), pytest.raises(CommandError, match=message):
        call_command("alerce_catalogues", "fetch", *arguments)
