"""What is peculiar to ZTF, ATLAS and Rubin, and real packets of theirs; what every survey must do is in ``tests/contracts``."""

from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from broker_adapters import avro, lsst_wire
from broker_adapters.correction import correct
from broker_adapters.cutouts import images
from broker_adapters.errors import PacketError
from broker_adapters.packets import read as read_packet
from broker_adapters.records import Kind, frozen
from broker_adapters.sources.files import packets
from broker_adapters.surveys import atlas, lsst, ztf
from broker_adapters.values import sound
from classifiers.simulate.packets import lsst as lsst_packets
from tests.broker_adapters import build


def test_lsst_schemas_are_the_published_ones():
    if find_spec("lsst") is None or find_spec("lsst.alert.packet") is None:
        pytest.skip("lsst-alert-packet is not installed")
    root = Path(find_spec("lsst.alert.packet").submodule_search_locations[0]) / "schema"
    versions = {f"{p.parent.name}.{p.name}" for p in root.glob("*/*") if p.name.isdigit() and int(p.parent.name) >= 7}
    ours = {p.stem for p in (Path(lsst.__file__).parent / "schemas" / "lsst").glob("*.json")}
    assert versions <= ours, "a newer lsst-alert-packet has schemas that we do not"
    for version in versions:
        assert avro.parsed(lsst_wire._published(version)).writer == lsst_wire.schema(version).writer


def test_unknown_lsst_schema():
    with pytest.raises(PacketError, match=r"99\.9 is not known"):
        read_packet(b"\x00" + (9909).to_bytes(4, "big") + b"xyz")


def test_ztf_signs_times_and_references():
    table = build.rows("ztf", flux=[5e4, -4e4, 3e4, -2e4])
    table["ref_flux"], table["ref_flux_err"] = [1e5, np.nan, 1e5, 1e5], [500, np.nan, 500, 500]
    alert = read_packet(build.packet("ztf", table))
    assert np.sign(alert.detections["flux"]).tolist() == [1, -1, 1, -1]
    assert np.isfinite(alert.detections["ref_flux"]).tolist() == [True, False, True, True]
    assert alert.metadata["isdiffpos"] == "f"
    assert alert.mjd == pytest.approx(table["mjd"][-1], abs=1e-7)
    assert alert.metadata["jd"] == pytest.approx(table["mjd"][-1] + 2400000.5 - 15 / 86400, abs=1e-7)
    assert alert.metadata["ssnamenr"] is None is alert.metadata["ssdistnr"]  # sentinels are gone


def test_ztf_sign_in_every_spelling():
    assert ztf.sign(["t", "1", "f", "0", True, False, 1, -1, np.int64(1), 0]).tolist() == [1, 1, -1, -1, 1, -1, 1, -1, 1, -1]
    assert np.isnan(ztf.sign(["maybe", None, [], 7])).all()


def test_ztf_limits_have_one_id_whatever_the_float():
    # the same time as a packet's jd and as ALeRCE's mjd, with the noise of the subtraction and rounded to its seven digits
    for jd in (2458653.7072450, 2458653.7072449, 2458653.7072451, 2459145.8454514, 2460236.1429050):
        mjd = jd - 2400000.5
        assert len({ztf.limit_id("ZTF18aaaaaaa", m, 1) for m in (mjd, round(mjd, 7), mjd + 5e-10, mjd - 5e-10)}) == 1
    assert ztf.limit_id("ZTF18aaaaaaa", 58000.1, 1) != ztf.limit_id("ZTF18aaaaaaa", 58000.1, 2)
    assert ztf.limit_id("ZTF18aaaaaaa", 58000.1, 1) != ztf.limit_id("ZTF18aaaaaaa", 58000.1 + 30 / 86400, 1)


def test_ztf_forced_photometry_without_sentinels_or_duplicates():
    hist = {"jd": 2461100.5, "fid": 1, "magzpsci": 26.0, "procstatus": "0", "forcediffimflux": 100.0, "forcediffimfluxunc": 10.0}
    rows = ztf.fp_hists(
        build.ZTF,
        [
            hist,
            {**hist},  # sent twice
            {**hist, "jd": 2461101.5, "forcediffimflux": -99999.0},
            {**hist, "jd": 2461102.5, "procstatus": "56,61"},
            {**hist, "jd": 2461103.5, "procstatus": "57", "distnr": 0.5, "magnr": 20.0, "sigmagnr": 0.1},
            {**hist, "jd": 2461104.5, "forcediffimfluxunc": float("nan")},
            {**hist, "jd": 2461105.5, "distnr": 1.5, "magnr": 20.0, "sigmagnr": 0.1},  # arcsec: beyond 1.4 pixels
        ],
    )
    rows = frozen(rows)
    assert rows["mjd"].tolist() == pytest.approx([m + 15 / 86400 for m in (61100, 61103, 61105)])
    assert rows["flux"].tolist() == pytest.approx([100.0 * 10 ** (0.4 * 5.4)] * 3)
    assert np.isfinite(rows["ref_flux"]).tolist() == [False, True, False]
    assert (rows["kind"] == Kind.FORCED).all()


def test_reference_from_a_total_magnitude_is_the_inverse_of_the_correction():
    reference = ztf.reference([0.5], [19.0], [0.02])
    rows = ztf.detections(
        candid=[1], mjd=[60000.0], fid=[1], magpsf=[19.5], sigmapsf=[0.1], isdiffpos=["t"], ra=[1.0], dec=[2.0], reference=reference
    )
    total = correct(rows)
    flux, error = ztf.reference_from_total(rows["flux"], rows["flux_err"], total.magnitude, total.error)
    assert [flux[0], error[0]] == pytest.approx([reference[0][0], reference[1][0]])


def test_a_row_of_an_unknown_filter_is_left_out_and_counted():
    dropped = Counter()
    rows = sound(ztf.limits(build.ZTF, mjd=[60000.0, 60001.0], fid=[4, 1], diffmaglim=[20.0, 20.0]), dropped)
    assert rows["mjd"].tolist() == [60001.0 + 15 / 86400]
    assert dropped == {"unknown filter": 1}


def test_moving_objects():
    near = {"ssdistnr": 1.0, "ssmagnr": 19.0, "ssnamenr": "1234"}
    assert read_packet(build.packet("ztf", build.rows("ztf", 1), metadata=near)).moving
    assert not read_packet(build.packet("ztf", build.rows("ztf", 4), metadata=near)).moving  # seen here for days
    assert not read_packet(build.packet("ztf", build.rows("ztf", 1), metadata={**near, "ssdistnr": 20.0})).moving
    alert = read_packet(build.packet("lsst", build.rows("lsst", 1), moving=True))
    assert (alert.moving, alert.object_id) == (True, build.LSST)


def test_atlas_negative_magnitudes():
    alert = read_packet(build.packet("atlas", build.rows("atlas", 1, flux=[-5e4])))
    assert alert.metadata["Mag"] < 0
    assert alert.metadata["Dflux"] < 0
    assert alert.detections["flux"][0] == pytest.approx(-5e4, rel=1e-6)
    assert alert.detections["flux_err"][0] > 0
    assert atlas.forced_id("01a59226o0051c", 360.00001, -5.12345) == "01a59226o0051c@0.0000-5.1235"


@pytest.mark.parametrize("version", ["8.0", "9.0", "10.0", "11.0", "11.1"])
@pytest.mark.parametrize("wire", [True, False])
def test_lsst_versions(version, wire):
    table = build.rows("lsst", kinds=[0, 1, 0, 0])
    table["ref_flux"], table["ref_flux_err"] = 2e4, 100.0
    alert = read_packet(build.packet("lsst", table, version=version, wire=wire))
    assert alert.detections["mjd"] == pytest.approx(table["mjd"], abs=1e-9)  # TAI there and back
    assert alert.detections["flux"] == pytest.approx(table["flux"], rel=1e-6)
    assert alert.detections["ref_flux"] == pytest.approx(table["ref_flux"], rel=1e-4)
    assert alert.detections["source_id"][1] == lsst.forced_id(build.LSST, table["mjd"][1] + 37 / 86400, "g")
    assert (alert.object_id, alert.source_id) == (build.LSST, str(build.DIA_SOURCE + 21))


def test_ids_never_pass_through_a_float():
    rows = lsst.detections(dia_source_id=[1.7e17], mjd=[60000.0], band=["g"], psf_flux=[1.0], psf_flux_err=[1.0])
    assert len(sound(rows, dropped := Counter())) == 0
    assert dropped == {"no id": 1}
    rows = lsst.detections(dia_source_id=[2**62 + 1], mjd=[60000.0], band=["g"], psf_flux=[1.0], psf_flux_err=[1.0])
    assert rows["source_id"][0] == "4611686018427387905"


@pytest.mark.parametrize("hostile", ["<script>", "ZTF26ABCDEFG", "ZTF26abcdefg\n", "", "../../etc"])
def test_hostile_names(hostile):
    with pytest.raises(PacketError):
        read_packet(build.packet("ztf", object_id=hostile))


def test_writers_refuse_what_they_cannot_say():
    with pytest.raises(ValueError, match="packet of lsst"):
        lsst_packets.write(build.rows("ztf"), object_id="1")
    with pytest.raises(ValueError, match="no detection"):
        build.packet("ztf", build.rows("ztf", 2, kinds=[2, 2]))
    with pytest.raises(ValueError, match="nosuchfield"):
        build.packet("ztf", metadata={"nosuchfield": 1})


@pytest.mark.real_data
@pytest.mark.parametrize(("folder", "count"), [("dev/alerts/ztf", 498), ("dev/alerts/atlas", 20), ("dev/alerts/lsst", 71)])
def test_real_packets(real_data, folder, count):
    found = list(packets([real_data / folder]))
    alerts = [read_packet(p.data) for p in found]
    assert len(alerts) == count
    for packet, alert in zip(found, alerts, strict=True):
        assert alert.survey == folder.rpartition("/")[2]
        latest = alert.detections[alert.detections["source_id"] == alert.source_id]
        assert len(latest) == 1
        assert latest["mjd"][0] == alert.mjd
        assert np.isfinite(alert.detections["flux_err"]).all()
        assert (alert.detections["flux_err"] > 0).all()
        assert len(set(alert.detections["source_id"].tolist())) == len(alert.detections)
        bare = read_packet(packet.data, history=False)
        assert (bare.key, bare.source_id, bare.mjd) == (alert.key, alert.source_id, alert.mjd)
        if alert.survey == "ztf":
            assert alert.source_id in packet.source


@pytest.mark.real_data
def test_the_sign_of_real_atlas_detections_is_that_of_their_images(real_data):
    clear = 0
    for packet in packets([real_data / "dev/alerts/atlas"]):
        alert = read_packet(packet.data)
        difference = images(alert.cutouts)[2]
        middle = difference.shape[0] // 2
        core = np.sum(difference[middle - 2 : middle + 3, middle - 2 : middle + 3] - np.median(difference))
        if abs(core) > 100:  # DN; one cannot be seen
            clear += 1
            assert np.sign(core) == np.sign(alert.detections["flux"][-1]), packet.source
    assert clear >= 19


@pytest.mark.real_data
def test_real_samples_of_other_places(real_data):
    samples = real_data / "broker_samples"
    for folder in ("ztf", "atlas_avro", "lsst"):
        files = sorted((samples / folder).glob("*.avro"))
        assert files
        for file in files:
            assert read_packet(file.read_bytes()).survey == folder.partition("_")[0]
    for foreign in sorted((samples / "skyportal_cassettes").glob("*.avro")):
        with pytest.raises(PacketError, match="no known survey"):
            read_packet(foreign.read_bytes())


@pytest.mark.real_data
def test_simulated_elasticc_packets_are_refused(real_data):
    found = list(packets([real_data / "dev/alerts/lsst_elasticc"]))
    assert len(found) == 10
    for packet in found:
        with pytest.raises(PacketError, match="ELAsTiCC"):
            read_packet(packet.data)
