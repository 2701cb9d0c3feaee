"""What people say of an object: labels, tags, files, mentions; the neighbours of a list, other axes, spectra, and everything as JSON."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from tom_dataproducts.models import SpectroscopyReducedDatum

from broker_adapters.records import Kind, blank
from tests.tom_alerce import factories
from tom_alerce.models import Attachment, Label, Mention, Seen, SkyObject
from tom_alerce.pages.figures import spectra
from tom_alerce.pages.figures.axes import Axes, binned, period_of
from tom_alerce.store import attachments, labels, linking, marks, tags
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db
HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
def sky(observer):
    return factories.sky_object(n=4, images=False)


@pytest.fixture
def berta(db):
    user = factories.user("berta")
    factories.roles(user, "decide")
    return user


def page(client, sky, **parameters):
    return client.get(reverse("tom_alerce:object", args=[sky.pk]), parameters)


def post(client, name, key, **data):
    return client.post(reverse(f"tom_alerce:{name}", args=[key]), data)


def test_a_label_is_of_one_person_and_the_next_replaces_it(client, observer, berta, sky):
    post(client, "label", sky.pk, label="CV/Nova", text="it is a <b>CV</b>")
    labels.say(sky, "SN Ia", berta)
    post(client, "label", sky.pk, label="AGN")
    assert [(one.label, one.by) for one in labels.counting()] == [("AGN", "observer"), ("SNIa", "berta")]
    assert Label.objects.get(label="CV/Nova").undone is not None
    text = page(client, sky).content.decode()
    assert "Undo: AGN by observer" in text
    assert "Undo: SNIa by berta" not in text
    post(client, "unlabel", Label.objects.get(author=berta).pk)
    assert labels.counting().count() == 2, "it is not the observer's to undo"
    post(client, "unlabel", labels.counting().get(author=observer).pk)
    assert labels.counting().get().author == berta
    with pytest.raises(StoreError, match="no class"):
        labels.say(sky, HOSTILE, observer)


def test_tags(client, observer, sky):
    for name in ("Follow up!", "follow-up"):
        post(client, "tag", sky.pk, tag=name)
    assert [one.name for one in sky.tags.all()] == ["follow-up"]
    post(client, "tag", sky.pk, untag="follow-up")
    assert not sky.tags.exists()
    with pytest.raises(StoreError):
        tags.tag(sky, "!!", observer)


def test_files_are_as_private_as_the_target(client, observer, berta, sky):
    post(client, "attach", sky.pk, file=SimpleUploadedFile(f"../{HOSTILE}.txt", b"<script>"))
    row = Attachment.objects.get()
    answer = client.get(reverse("tom_alerce:attachment", args=[row.pk]))
    assert answer.content == b"<script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert HOSTILE not in page(client, sky).content.decode()
    sky.target = factories.target(permissions="PRIVATE")
    sky.save()
    assert client.get(reverse("tom_alerce:attachment", args=[row.pk])).status_code == 404
    assert "those who see its target" in page(client, sky).content.decode()
    assert client.get(reverse("tom_alerce:everything", args=[sky.pk])).json()["files"] == []
    for name, content in (("a", b""), ("", b"x"), ("a", b"x" * (attachments.LARGEST + 1))):
        with pytest.raises(StoreError):
            attachments.attach(sky, name, content, observer)


def test_a_mention_is_kept_until_it_is_read(client, observer, berta, sky):
    marks.add(sky, "note", observer, "ask @berta, @observer, @nobody or a@berta.org <b>")
    assert [one.user for one in Mention.objects.all()] == [berta]
    factories.rank(factories.ranking(), sky)
    client.force_login(berta)
    assert "you are mentioned once" in client.get(reverse("tom_alerce:board")).content.decode()
    text = client.get(reverse("tom_alerce:mentions")).content.decode()
    assert sky.name in text
    assert "&lt;b&gt;" in text
    post(client, "look", sky.pk)
    assert Seen.objects.get().user == berta
    assert "you are mentioned" not in client.get(reverse("tom_alerce:board")).content.decode()


def test_who_may_not_decide_says_nothing(client, sky, settings):
    settings.TOM_ALERCE = settings.TOM_ALERCE | {"EVERYBODY": ("view",)}
    client.force_login(factories.user("guest"))
    for name, data in (("label", {"label": "AGN"}), ("tag", {"tag": "x"}), ("attach", {"file": SimpleUploadedFile("a", b"b")})):
        post(client, name, sky.pk, **data)
    assert not Label.objects.exists()
    assert not sky.tags.exists()
    assert not Attachment.objects.exists()


def test_what_is_said_of_an_object_goes_with_it(observer, berta, sky):
    heir = factories.sky_object(dec=2.0001, images=False)
    labels.say(sky, "AGN", observer)
    labels.say(heir, "CV", observer)
    labels.say(sky, "QSO", berta)
    tags.tag(sky, "both", observer)
    tags.tag(heir, "both", observer)
    tags.tag(sky, "one", observer)
    attachments.attach(sky, "a.txt", b"x", observer)
    linking.link(sky.survey_objects.get(), heir, observer)
    assert not SkyObject.objects.filter(pk=sky.pk).exists()
    assert {(one.label, one.by) for one in labels.counting().filter(sky_object=heir)} == {("CV/Nova", "observer"), ("QSO", "berta")}
    assert [one.name for one in heir.tags.all()] == ["both", "one"]
    assert heir.attachments.count() == 1


def test_the_neighbours_of_the_list_that_one_came_from(client, observer):
    ranking = factories.ranking()
    skies = [factories.sky_object(ra=10.0 + i, n=2, images=False) for i in range(3)]
    ranks = [factories.rank(ranking, sky, i + 1) for i, sky in enumerate(skies)]
    found = page(client, skies[1], **{"from": ranks[1].pk, "sort": "-place"}).context["list"]
    assert (found.place, found.count) == (2, 3)
    assert f"objects/{skies[2].pk}/?" in found.previous
    assert f"objects/{skies[0].pk}/?" in found.next
    assert "sort=-place" in found.next
    assert found.board.endswith("?sort=-place")
    assert page(client, skies[0], **{"from": ranks[0].pk}).context["list"].previous == ""
    for text in ("9" * 30, "x", str(10**9)):
        assert page(client, skies[0], **{"from": text}).context["list"] is None


def test_everything_as_json(client, observer, sky):
    factories.classification(sky)
    factories.rank(factories.ranking(), sky)
    labels.say(sky, "CV", observer, "a <b>")
    found = client.get(reverse("tom_alerce:everything", args=[sky.pk])).json()
    assert found["id"] == str(sky.pk)
    assert len(found["photometry"]) == 12
    assert found["classifications"][0]["label"] == "SN"
    assert found["labels"][0] | {"created": ""} == {"label": "CV/Nova", "by": "observer", "text": "a <b>", "created": ""}
    assert found["rank"]["place"] == 1


def sine(period=0.6, n=120):
    rows = blank(n)
    rng = np.random.default_rng(1)
    rows["mjd"], rows["band"], rows["survey"], rows["kind"] = 60_000.0 + np.sort(rng.uniform(0, 40, n)), "r", "ztf", Kind.ALERT
    rows["source_id"] = np.arange(n).astype(str)
    rows["flux"] = 50_000.0 + 20_000.0 * np.sin(2 * np.pi * rows["mjd"] / period)
    rows["flux_err"] = 500.0
    return rows


def test_the_period_of_a_sine_folds_it():
    assert period_of(sine()) == pytest.approx(0.6, rel=1e-3)
    assert period_of(sine()[:5]) is None
    axes = Axes(period=0.6)
    x = axes.x(np.array([0.15, 0.75]))
    assert x == pytest.approx([0.25, 0.25, 1.25, 1.25])
    assert axes.twice([1, 2]) == [1, 2, 1, 2]
    assert Axes(origin=10.0, redshift=1.0).x(np.array([14.0])) == [2.0]
    assert Axes(modulus=35.0, extinction={"r": 0.5}).y(np.array([18.0]), "r") == pytest.approx([-17.5])


def test_bins_are_weighted_means():
    rows = sine()[:3]
    rows["mjd"], rows["flux"], rows["flux_err"] = [60_000.1, 60_000.3, 60_001.2], [1.0e4, 4.0e4, 7.0e4], [100.0, 200.0, 300.0]
    made = binned(rows, 1.0)
    assert made["flux"] == pytest.approx([(1.0e4 / 1 + 4.0e4 / 4) / 1.25, 7.0e4])
    assert made["flux_err"] == pytest.approx([100.0 / np.sqrt(1.25), 300.0])
    assert len(binned(rows[:0], 1.0)) == 0


def test_figures_in_other_forms(client, observer, sky):
    def ask(**parameters):
        return client.get(reverse("tom_alerce:figures", args=[sky.pk]), parameters).json()

    assert ask()["figures"]["flux"]["layout"]["xaxis"]["type"] == "date"
    assert ask(days="peak")["figures"]["flux"]["layout"]["xaxis"]["title"]["text"].startswith("Days")
    folded = ask(fold="1.5")
    assert folded["period"] == 1.5
    assert folded["figures"]["flux"]["layout"]["xaxis"]["range"] == [0.0, 2.0]
    assert ask(bin="10", fold="nonsense")["period"] is None


def test_spectra_of_the_target_for_who_sees_it(client, observer, sky):
    sky.target = factories.target()
    sky.save()
    made = {"timestamp": timezone.now(), "telescope": HOSTILE, "wavelength_unit": "nm", "target": sky.target}
    SpectroscopyReducedDatum.objects.create(wavelength=[400.0, 500.0, 650.0, 700.0], flux=[1.0, 2.0, 9.0, 1.0], **made)
    text = page(client, sky).content.decode()
    assert "400" not in text or 'id="spectra"' in text
    assert HOSTILE not in text
    sky.target.permissions = "PRIVATE"
    sky.target.save()
    assert 'id="spectra"' not in page(client, sky).content.decode()


def test_lines_stand_at_the_redshift():
    one = spectra.Spectrum("a", np.linspace(4000.0, 8000.0, 5000), np.ones(5000))
    plot = spectra.draw([one], 0.1)
    where = {note.label: float(note.x) for note in plot.notes}
    scale = (plot.right - plot.left) / 4000.0
    assert where["Hα"] == pytest.approx(plot.left + (6562.8 * 1.1 - 4000.0) * scale, abs=1.0)
    assert "Ca II" in where
    assert spectra.draw([one], None).notes[0].label == "a"
    assert spectra.draw([], 0.1) is None
