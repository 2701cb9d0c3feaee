"""Catalogues that are asked over the network: recorded answers, made ones from a server on this machine, and damage."""

from __future__ import annotations

import contextlib
import json
import random

import numpy as np
import pytest
from werkzeug import Response

from broker_adapters import plugins
from broker_adapters.catalogue import SOURCE, magnitude, stars
from broker_adapters.catalogues import _answers, catshtm, gaia, ned, panstarrs, simbad, xmatch
from broker_adapters.errors import AdapterError, PacketError, SourceError, Unavailable

PACKAGE = "broker_adapters.catalogues"
REMOTE = [name for name in plugins.names(PACKAGE) if plugins.load(PACKAGE, name).REMOTE]


def votable(names, rows, kinds=None):
    kinds = kinds or {}
    size = {"char": ' arraysize="*"'}
    types = [kinds.get(name, "double") for name in names]
    fields = "".join(
        f'<FIELD name="{n}" ID="f{k}" datatype="{t}"{size.get(t, "")}/>' for k, (n, t) in enumerate(zip(names, types, strict=True))
    )
    data = "".join("<TR>" + "".join(f"<TD>{value}</TD>" for value in row) + "</TR>" for row in rows)
    return (
        '<?xml version="1.0"?><VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE type="results">'
        f'<INFO name="QUERY_STATUS" value="OK"/><TABLE>{fields}<DATA><TABLEDATA>{data}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>'
    ).encode()


CHAR = dict.fromkeys(("designation", "phot_variable_flag", "main_id", "otype", "Object Name", "Type", "Redshift Flag"), "char")
#: Catalogue -> an answer about the place (150, 2), of two sources, one of them 5 arcseconds away.
ANSWERS = {
    "gaia": votable(
        ("designation", "ra", "dec", "ref_epoch", "pmra", "pmdec", "pmra_error", "pmdec_error", "parallax", "parallax_error",
         "phot_g_mean_mag", "phot_variable_flag"),
        [("Gaia DR3 1", 150.0, 2.0 + 5 / 3600, 2016.0, 300.0, 0.0, 0.1, 0.1, 20.0, 0.1, 12.5, "VARIABLE"),
         ("Gaia DR3 2", 150.0, 2.5, 2016.0, "", "", "", "", "", "", 19.0, "NOT_AVAILABLE")],
        CHAR,
    ),
    "simbad": votable(
        ("main_id", "ra", "dec", "pmra", "pmdec", "pm_err_maj", "plx_value", "plx_err", "otype", "rvz_redshift", "galdim_majaxis",
         "galdim_minaxis", "galdim_angle"),
        [("NGC 1", 150.0, 2.0 + 5 / 3600, "", "", "", "", "", "Sy1", 0.015, 2.0, 1.0, 30),
         ("HD 1", 150.0, 2.5, 1, 2, 0.1, 3, 0.1, "*", "", "", "", "")],
        CHAR,
    ),
    "ned": votable(
        ("Object Name", "RA", "DEC", "Type", "Redshift", "Redshift Flag"),
        [("NGC 1", 150.0, 2.0 + 5 / 3600, "G", 0.015, "SPEC"), ("X", 150.0, 2.5, "RadioS", "", "")],
        CHAR,
    ),
    "panstarrs": json.dumps(
        {
            "info": [{"name": name} for name in ("objID", "raStack", "decStack", "rKronMag", "iKronMag", "iPSFMag", "rKronRad")],
            "data": [["123", 150.0, 2.0 + 5 / 3600, 18.0, 17.5, 18.5, 4.0], ["124", 150.0, 2.5, -999, -999, -999, -999]],
        }
    ).encode(),
    "catshtm": json.dumps(
        [
            {"2MASSxsc": {"RA": {"value": 150.0}, "Dec": {"value": 2.0 + 5 / 3600}, "r_K20e": {"value": 9.6}, "Kb_a": {"value": 0.4},
                          "Kpa": {"value": 40.0}, "J_K20e": {"value": 14.85}}},
            {"Unheard": {"RA": {"value": 1.0}}},
        ]
    ).encode(),
    "xmatch": (
        "angDist,our_id,our_ra,our_dec,source_id,ra,dec,ref_epoch,pmra,pmdec,pmra_error,parallax,parallax_error,phot_g_mean_mag\n"
        f"5.0,0,150.0,2.0,77,150.0,{2.0 + 5 / 3600},2016.0,300.0,0.0,0.1,20.0,0.1,12.5\n"
        "5.0,0,150.0,2.0,short\n"
    ).encode(),
}  # fmt: skip


def test_every_remote_catalogue_has_an_answer_here():
    assert set(ANSWERS) == set(REMOTE)


@pytest.fixture(params=REMOTE)
def name(request):
    return request.param


def catalogue(name, httpserver, **arguments):
    return plugins.load(PACKAGE, name).Catalogue(url=httpserver.url_for("/"), timeout=2.0, **arguments)


def serve(httpserver, body, status=200):
    httpserver.expect_request("/").respond_with_data(body, status)


@pytest.fixture(autouse=True)
def _no_limits(monkeypatch):
    """Limits on calls are kept for the whole process."""
    monkeypatch.setattr(_answers, "budget", lambda *_: None)


def test_an_answer_becomes_rows_of_the_record(name, httpserver):
    serve(httpserver, ANSWERS[name])
    rows = catalogue(name, httpserver).cone([150.0, np.nan], [2.0, 1.0], 30.0)
    assert rows.dtype == SOURCE
    assert not rows.flags.writeable
    assert len(rows) == 1
    assert rows["separation"][0] == pytest.approx(5.0, abs=1e-3)
    assert (rows["query"] == 0).all()
    assert rows["id"][0]


def test_places_near_one_another_each_get_the_source(name, httpserver):
    serve(httpserver, ANSWERS[name])
    rows = catalogue(name, httpserver).cone([150.0, 150.0], [2.0, 2.0 + 4 / 3600], 30.0)
    assert rows["query"].tolist() == [0, 1]
    np.testing.assert_allclose(rows["separation"], [5.0, 1.0], atol=1e-3)


def test_nothing_asked_is_no_call(name, httpserver):
    assert len(catalogue(name, httpserver).cone([], [], 10.0)) == 0
    assert len(catalogue(name, httpserver).cone([np.nan], [1.0], 10.0)) == 0
    assert not httpserver.log


@pytest.mark.parametrize("body", [b"<html>down for maintenance</html>", b"{}", b"\x00\xff", b"null"])
def test_nonsense_is_an_error_of_ours_or_nothing(name, httpserver, body):
    serve(httpserver, body)
    with contextlib.suppress(AdapterError):
        assert len(catalogue(name, httpserver).cone(150.0, 2.0, 10.0)) == 0


def test_a_server_that_is_down_is_unavailable_after_one_repetition(name, httpserver):
    calls = []
    httpserver.expect_request("/").respond_with_handler(lambda _: calls.append(1) or Response("down", 501))
    with pytest.raises(Unavailable):
        catalogue(name, httpserver).cone(150.0, 2.0, 10.0)
    assert 1 <= len(calls) <= 2


def damaged(body, random_):
    data = bytearray(body)
    for _ in range(random_.randint(1, 8)):
        data[random_.randrange(len(data))] = random_.randrange(256)
    return bytes(data[: random_.randint(1, len(data))]) if random_.random() < 0.3 else bytes(data)


READERS = {
    "gaia": lambda body: gaia.read(_answers.of_votable(body)),
    "simbad": lambda body: simbad.read(_answers.of_votable(body)),
    "ned": lambda body: ned.read(_answers.of_votable(body)),
    "panstarrs": lambda body: panstarrs.read(panstarrs.columns_of(json.loads(body))),
    "catshtm": lambda body: catshtm.read(json.loads(body)),
    "xmatch": lambda body: xmatch.read(_answers.of_csv(body.decode("utf-8", "replace")), "gaia"),
}


def test_a_thousand_damaged_answers_are_errors_of_ours_or_rows(name):
    random_ = random.Random(7)
    for _ in range(1000):
        body = damaged(ANSWERS[name], random_)
        if name in ("panstarrs", "catshtm") and not _is_json(body):
            continue  # `Answer.json` refuses it
        try:
            rows = _answers.asked(150.0, 2.0, 30.0, None, lambda a, d, body=body: READERS[name](body))
        except AdapterError:
            continue
        with np.errstate(invalid="ignore"):
            assert not (np.abs(rows["redshift"]) > 15.0).any()
        assert (rows["separation"] <= 30.0).all()


def _is_json(body):
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def test_a_star_is_known_by_its_motion_and_found_where_it_is_now(httpserver):
    serve(httpserver, ANSWERS["gaia"])
    rows = catalogue("gaia", httpserver).cone(150.0, 2.0 + 5 / 3600, 10.0, 61041.0)
    assert rows["separation"][0] == pytest.approx(3.0, abs=0.01), "ten years at 300 mas a year"
    assert stars(rows).all()
    assert rows["kind"].tolist() == ["variable"]


def test_columns_mean_what_they_say(httpserver):
    nucleus = simbad.read(_answers.of_votable(ANSWERS["simbad"]))
    assert nucleus["kind"].tolist() == ["AGN", "star"]
    assert (nucleus["size"][0], nucleus["axis_ratio"][0], nucleus["position_angle"][0]) == (30.0, 0.5, 30.0)
    galaxy = panstarrs.read(panstarrs.columns_of(json.loads(ANSWERS["panstarrs"])))
    assert galaxy["kind"].tolist() == ["galaxy", "unknown"]
    assert np.isnan(magnitude(galaxy, "r")[1]), "-999 is no magnitude"
    known = ned.read(_answers.of_votable(ANSWERS["ned"]))
    assert known["redshift_kind"].tolist() == ["spectrum", ""]
    assert known["kind"].tolist() == ["galaxy", "unknown"]


def test_the_far_south_is_not_asked_of_panstarrs(httpserver):
    assert len(catalogue("panstarrs", httpserver).cone(150.0, -60.0, 10.0)) == 0
    assert not httpserver.log


def test_xmatch_uploads_the_places_and_knows_its_tables(httpserver):
    serve(httpserver, ANSWERS["xmatch"])
    catalogue("xmatch", httpserver).cone([150.0, 10.0], [2.0, -3.0], 30.0)
    request = httpserver.log[0][0]
    with request:  # closes what werkzeug keeps of the upload
        assert request.form["cat2"] == "vizier:I/355/gaiadr3"
        assert request.files["cat1"].read().decode().splitlines()[1:] == ["0,150.0000000,2.0000000", "1,10.0000000,-3.0000000"]
    with pytest.raises(SourceError, match="allwise"):
        xmatch.Catalogue(table="nonsense")


def test_red_sources_of_allwise_are_nuclei():
    columns = {
        "AllWISE": ["a", "b", "c"],
        "RAJ2000": ["1", "2", "3"],
        "DEJ2000": ["1", "2", "3"],
        "W1mag": ["14.0", "14.0", ""],
        "W2mag": ["13.0", "13.9", "13"],
    }
    assert xmatch.read(columns, "allwise")["kind"].tolist() == ["AGN", "unknown", "unknown"]


class TestRecorded:
    """Answers that the services have given, beside the repository."""

    @pytest.fixture
    def folder(self, real_data):
        path = real_data / "context_samples"
        if not path.is_dir():
            pytest.skip("no recorded answers")
        return path

    def test_gaia(self, folder):
        rows = gaia.read(_answers.of_votable((folder / "astroquery_recorded" / "gaia_result.vot").read_bytes()))
        assert len(rows) == 2
        assert rows["id"][0] == "Gaia DR3 4583627001381815936"
        assert rows["parallax"][0] == pytest.approx(2.3034, abs=1e-4)
        assert stars(rows)[0]
        assert (rows["epoch"] == 2016.0).all()

    def test_ned(self, folder):
        rows = ned.read(_answers.of_votable((folder / "astroquery_recorded" / "ned_near_name.xml").read_bytes()))
        assert len(rows) == 6
        assert rows["ra"][0] == pytest.approx(83.63321)

    def test_neds_error_is_one_of_ours(self, folder):
        with pytest.raises(SourceError, match="No note found"):
            _answers.of_votable((folder / "astroquery_recorded" / "ned_error.xml").read_bytes())

    @pytest.mark.parametrize(
        ("file", "column", "n"),
        [
            ("ned_redshifts.xml", "published redshift", 4),
            ("simbad_basic_columns.xml", "column_name", 67),
            ("vizier_kang2010.xml", "jmag", 50),
        ],
    )
    def test_tables_of_other_things_are_read_and_are_no_sources(self, folder, file, column, n):
        columns = _answers.of_votable((folder / "astroquery_recorded" / file).read_bytes())
        assert len(columns[column]) == n
        with pytest.raises(PacketError, match="lacks"):
            simbad.read(columns)

    def test_panstarrs_without_places_is_refused(self, folder):
        columns = panstarrs.columns_of(json.loads((folder / "astroquery_recorded" / "mast_panstarrs_cone.json").read_text()))
        assert len(columns["objID"]) == 35
        with pytest.raises(PacketError, match="raStack"):
            panstarrs.read(columns)

    def test_xmatch(self, folder):
        rows = xmatch.read(_answers.of_csv((folder / "astroquery_recorded" / "cds_xmatch_2mass.csv").read_text()), "2mass")
        assert len(rows) == 11
        assert magnitude(rows, "J")[0] == pytest.approx(9.931)
        assert rows["id"][0] == "2mass 17485281-2021323"

    def test_catshtm(self, folder):
        rows = catshtm.read(json.loads((folder / "catshtm_alerce" / "crossmatch_all_ZTF22aafsqud.json").read_text()))
        assert rows["kind"].tolist() == ["unknown", "galaxy"]
        assert rows["size"][1] == pytest.approx(4.8)
        assert rows["axis_ratio"][1] == pytest.approx(0.4)
        assert np.isnan(magnitude(rows, "H")).sum() == 0
