"""Messages for every reader of notices, made here: the real ones are of observatories that state no licence."""

from __future__ import annotations

import base64
import json

from classifiers.simulate import skymaps

BASE = "https://gcn.nasa.gov/schema/v4.2.0/gcn/notices/"
TIME = {"alert_datetime": "2026-03-01T12:00:09.5Z", "trigger_time": "2026-03-01T11:58:40.43", "alert_tense": "current"}
SMALL = skymaps.gaussian(150.0, 2.0, 3.0, (80.0, 15.0), last=5)


def unified(schema: str, **fields: object) -> bytes:
    """A JSON notice of a schema."""
    body = {"$schema": f"{BASE}{schema}.schema.json", **TIME, "alert_type": "initial", "ra": 120.5, "dec": -40.25, "ra_dec_error": 0.5}
    return json.dumps(body | fields).encode()


def voevent(identifier: str, role: str = "observation", error: float = 1.5, **parameters: object) -> bytes:
    """A VOEvent of GCN Classic."""
    given = "".join(f'<Param name="{name}" value="{value}" />' for name, value in parameters.items())
    return f"""<?xml version = '1.0' encoding = 'UTF-8'?>
<voe:VOEvent ivorn="ivo://nasa.gsfc.gcn/{identifier}" role="{role}" version="2.0" xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0">
<Who><Date>2026-03-01T12:00:09</Date></Who><What>{given}</What><WhereWhen><ObsDataLocation><ObservationLocation><AstroCoords>
<Time unit="s"><TimeInstant><ISOTime>2026-03-01T11:58:40.43</ISOTime></TimeInstant></Time>
<Position2D unit="deg"><Value2><C1>120.5</C1><C2>-40.25</C2></Value2><Error2Radius>{error}</Error2Radius></Position2D>
</AstroCoords></ObservationLocation></ObsDataLocation></WhereWhen></voe:VOEvent>""".encode()


#: Plug-in -> messages that it reads.
MESSAGES = {
    "einstein_probe": [unified("einstein_probe/wxt/alert", id=["01709130097"], ra_dec_error=0.04), unified("einstein_probe/wxt/alert")],
    "fermi_gbm": [
        unified(
            "fermi/gbm/alert", id=[745121685, "bn260301499"], ra_dec_error=1.3, containment_probability=0.68, systematic_included=False
        ),
        unified("fermi/gbm/alert", id=["745121685"], ra_dec_error=7.0, systematic_included=True, duration_class="SHORT", record_number=2),
    ],
    "icecube": [
        unified("icecube/gold_bronze_track_alerts", id=["137840_57034692"], record_number=1, far=8e-8, p_astro=0.4),
        unified("icecube/gold_bronze_track_alerts", id=["137840_57034692"], ra_dec_error=[0.8, 0.3, 30]),
        unified(
            "icecube/lvk_nu_track_search",
            ref_ID="S260301ab",
            n_events_coincident=2,
            coincident_events=[
                {"localization": {"ra": 13.8, "dec": 18.7, "ra_dec_error": 0.5}, "event_pval_generic": 0.09},
                {"localization": {"ra": 17.5, "dec": 16.1, "ra_dec_error": 0.5}, "event_pval_generic": 0.02},
            ],
        ),
    ],
    "km3net": [unified("km3net/alert", id="1", event_name="KM3-260301A", number_of_events=1)],
    "lvk": [
        skymaps.alert("S260301ab", 61100.5, SMALL),
        b"[" + skymaps.alert("MS260301c", 61100.5, SMALL, "UPDATE") + b"]",
        skymaps.alert("S260301ab", 61100.5, SMALL, "RETRACTION"),
    ],
    "svom": [unified("svom/trigger", id=["sb26030101"], instrument="ECLAIRs", ra_dec_error=0.1, alert_tense="test")],
    "swift": [
        unified("swift/bat/guano", id=["694215995"], systematic_included=True),
        unified("swift/bat/guano", id=["694215995"], ra=None, healpix_file=base64.b64encode(skymaps.to_fits(SMALL)).decode()),
        unified("swift/bat/guano", id=["694215995"], alert_type="retraction", ra=None),
    ],
    "voevent": [
        voevent("Fermi#GBM_Gnd_Pos_2026-03-01T11:58:40.43_745121685_56-996", TrigID=745121685, Sequence_Num=56),
        voevent("SWIFT#XRT_Pos_1125809-104", error=0.0013, TrigID=1125809),
        voevent("AMON#ICECUBE_BRONZE_Event2026-03-01T11:58:40.43_25_136973", run_id=136973, event_id=28816141, FAR=2.0),
    ],
    "tests.contracts.third_party.beacon": [b"BEACON 17 61100.51 61100.5 120.5 -40.25 0.5", b"BEACON 17 61100.6 61100.5 120.5 -40.25 0"],
}
