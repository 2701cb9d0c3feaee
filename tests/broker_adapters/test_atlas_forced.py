import json
import logging

import numpy as np
import pytest
from werkzeug import Response

from broker_adapters.brokers.atlas_forced import Client, Task, read
from broker_adapters.errors import PacketError, RateLimited, SourceError, Unauthorized, Unavailable
from broker_adapters.records import Kind, Query

HEADER = "###MJD          m      dm   uJy   duJy F err chi/N     RA       Dec        x        y     maj  min   phi  apfit mag5sig Sky   Obs"
GOOD = "59000.500000  17.000  0.010  575  5 o  0 1.10 187.02019 -6.96784  5000.0 5000.0 2.10 2.00 -46.5 -0.454 19.35 20.23 02a59000o0467o"
NEGATIVE = GOOD.replace("17.000", "-17.00").replace(" 575 ", " -575 ").replace("o0467o", "o0468o")
TOKEN = "0123456789abcdef0123456789abcdef01234567"
FILES = ("18aaaawyw", "18aagibwi", "18abwvvvw", "18acrvwcz", "19acdncga", "a293-29", "c111-36", "c180-34")
TABLES = [
    *(f"dev/atlas_forced/{name}-atlas.txt" for name in FILES),
    *(f"broker_samples/atlas_fp/{n}" for n in ("job01088.txt", "tom_base_test_atlas_fp.csv")),
]


def table(*rows, header=HEADER):
    return "\n".join([header, *rows, ""])


def test_microjanskys_become_nanojanskys_at_mid_exposure_with_their_sign():
    rows = read(table(NEGATIVE.replace("59000.5", "59001.5"), GOOD))
    assert rows["flux"].tolist() == [575e3, -575e3]
    assert rows["flux_err"].tolist() == [5e3, 5e3]
    np.testing.assert_allclose(rows["mjd"], np.array([59000.5, 59001.5]) + 15 / 86400, atol=1e-9)
    assert set(rows["kind"]) == {Kind.FORCED}
    assert set(rows["band"]) == {"o"}
    assert len(set(rows["source_id"])) == 2
    assert not rows.flags.writeable


def test_a_faint_point_is_a_measurement_and_not_a_limit():
    rows = read(table(GOOD.replace(" 575 ", " -0 ")))
    assert rows["kind"].tolist() == [Kind.FORCED]
    assert rows["flux"].tolist() == [0.0]


def test_columns_go_by_name():
    newer = table(GOOD.replace("20.23", "-12.3 20.23"), header=HEADER.replace("Sky", "PA_DEG Sky"))
    assert read(newer).tobytes() == read(table(GOOD)).tobytes()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  0 1.10", "  1 1.10"),  # the fit failed
        ("5000.0 5000.0", "50.0 5000.0"),  # edge of the chip
        ("5000.0 5000.0", "5000.0 10470.0"),
        ("2.10 2.00", "7.10 2.00"),
        ("-0.454", "-1.454"),
        ("19.35", "9.35"),  # no photometric solution
        ("20.23", "16.23"),
        (" 575  5 ", " 575  10001 "),
        (" 575  5 ", " 575  0 "),
    ],
)
def test_what_the_faq_does_not_trust_is_left_out_unless_asked_for(old, new):
    bad = GOOD.replace(old, new)
    assert bad != GOOD
    assert len(read(table(bad))) == 0
    assert len(read(table(bad), trusted=False)) == (0 if " 0 o" in bad else 1)


def test_an_unknown_filter_is_left_out_and_told(caplog):
    with caplog.at_level(logging.WARNING):
        assert len(read(table(GOOD, GOOD.replace(" o  0", " ?  0")))) == 1
    assert "left out: 1 (unknown filter)" in caplog.text


def test_an_empty_table_is_a_light_curve_without_points():
    assert len(read(table())) == 0


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "<html>",
        "no header\n" + GOOD,
        table(GOOD[:80]),
        table(GOOD + " 1"),
        table(GOOD, header=HEADER.replace("Obs", "Ob")),
    ],
)
def test_what_is_not_a_table_is_a_packet_error(damaged):
    with pytest.raises(PacketError):
        read(damaged)


@pytest.mark.parametrize("bad", [GOOD.replace("59000.5", "5900x.5"), GOOD.replace("59000.5", "nan"), GOOD[:80], GOOD + " 1",
    GOOD.replace("59000.5", "79000.5"), GOOD.replace("02a59000o0467o", "<b>"), HEADER, HEADER.replace("Obs", "Ob"), "###"])  # fmt: skip
def test_a_bad_row_of_a_table_is_left_out_and_told(bad, caplog):
    for text in (table(bad, NEGATIVE) if bad[:3] != "###" else table(NEGATIVE, bad), table(NEGATIVE, bad), table(NEGATIVE) + bad):
        assert read(text).tobytes() == read(table(NEGATIVE)).tobytes()
    assert ("left out" in caplog.text) == (bad != HEADER)


def test_tables_may_be_joined_whatever_their_columns_and_without_an_end_of_line():
    newer = table(GOOD.replace("20.23", "-12.3 20.23"), header=HEADER.replace("Sky", "PA_DEG Sky"))
    whole = read(table(NEGATIVE).rstrip() + newer)
    assert len(whole) == 2
    assert whole.tobytes() == read(newer + table(NEGATIVE)).tobytes()


@pytest.mark.real_data
@pytest.mark.parametrize("name", TABLES)
def test_real_tables(real_data, name):
    text = (real_data / name).read_text()
    everything = read(text, trusted=False)
    lines = [line.split() for line in text.splitlines()[1:]]
    by_id = {line[-1]: line for line in lines}
    measured = {line[-1] for line in lines if float(line[4]) > 0}
    assert {str(i).partition("@")[0] for i in everything["source_id"]} == measured
    assert 0.5 * len(everything) < len(read(text)) <= len(everything) == len(measured)
    for row in everything[:: max(len(everything) // 50, 1)]:
        line = by_id[str(row["source_id"]).partition("@")[0]]
        assert row["flux"] == float(line[3]) * 1000
        assert row["mjd"] == pytest.approx(float(line[0]) + 15 / 86400, abs=1e-9)
        assert row["band"] == line[5]
    # m of the table is the magnitude of |uJy|, with the sign of the flux
    bright = [line for line in lines if 20 * float(line[4]) < abs(float(line[3])) < 1e9]
    for line in bright[:50]:
        assert 23.9 - 2.5 * np.log10(abs(float(line[3]))) == pytest.approx(abs(float(line[1])), abs=0.03)
        assert float(line[1]) * float(line[3]) > 0


@pytest.fixture
def naps():
    return []


@pytest.fixture
def client(httpserver, naps):
    return Client(TOKEN, url=httpserver.url_for("/forcedphot"), timeout=10.0, retries=1, sleep=naps.append)


def described(httpserver, **fields):
    return {
        "url": httpserver.url_for("/forcedphot/queue/7/"),
        "starttimestamp": None,
        "finishtimestamp": None,
        "result_url": None,
        "error_msg": None,
        "queuepos": 4,
    } | fields


def test_a_task_is_submitted_polled_and_fetched_by_its_address_alone(client, httpserver):
    auth = {"Authorization": f"Token {TOKEN}", "Accept": "application/json"}
    httpserver.expect_request("/forcedphot/queue/", method="POST", headers=auth).respond_with_json(described(httpserver), status=201)
    task = client.submit(187.02019, -6.96784, since=59000.0)
    assert (task.state, task.position, task.finished) == ("queued", 4, False)
    form = httpserver.log[0][0].form
    assert (form["ra"], form["mjd_min"]) == ("187.02019", "59000.0")
    assert "mjd_max" not in form
    with pytest.raises(SourceError, match="no result"):
        client.fetch(task)

    poll = "/forcedphot/queue/7/"
    httpserver.expect_ordered_request(poll).respond_with_json(described(httpserver, starttimestamp="2026-11-23T00:00:00Z"))
    result = httpserver.url_for("/forcedphot/static/results/job7.txt")
    done = described(httpserver, starttimestamp="x", finishtimestamp="y", result_url=result)
    httpserver.expect_ordered_request(poll).respond_with_json(done)
    resumed = Client(TOKEN, url=httpserver.url_for("/forcedphot"))
    task = resumed.poll(Task(task.url))
    assert (task.state, task.finished) == ("running", False)
    task = resumed.poll(task)
    assert task == resumed.poll(task)  # asks no more
    httpserver.expect_request("/forcedphot/static/results/job7.txt").respond_with_data(table(GOOD))
    assert resumed.fetch(task)["flux"].tolist() == [575e3]


def test_all_of_history_is_asked_for_explicitly(client, httpserver):
    httpserver.expect_request("/forcedphot/queue/").respond_with_json(described(httpserver), status=201)
    client.submit(0.0, 0.0, until=60000.0)
    form = httpserver.log[0][0].form
    assert (form["mjd_min"], form["mjd_max"], form["use_reduced"]) == ("", "60000.0", "false")


def test_finished_without_data_is_an_answer(client, httpserver):
    fields = described(httpserver, starttimestamp="x", finishtimestamp="y", error_msg="No data returned")
    httpserver.expect_request("/forcedphot/queue/7/").respond_with_json(fields)
    task = client.poll(Task(fields["url"]))
    assert (task.state, task.reason, task.finished) == ("empty", "No data returned", True)
    assert len(client.fetch(task)) == 0


def test_a_deleted_task_is_gone(client, httpserver):
    httpserver.expect_request("/forcedphot/queue/7/").respond_with_data("Page not found", status=404)
    task = client.poll(Task(httpserver.url_for("/forcedphot/queue/7/")))
    assert task.state == "gone"
    with pytest.raises(SourceError, match="gone"):
        client.fetch(task)


def test_too_many_waiting_tasks_mean_later_and_bad_input_does_not(client, httpserver):
    refusal = {"non_field_errors": "ERROR: You have too many queued tasks (501)"}
    httpserver.expect_ordered_request("/forcedphot/queue/").respond_with_json(refusal, status=400)
    with pytest.raises(RateLimited, match="too many"):
        client.submit(1.0, 1.0)
    httpserver.expect_ordered_request("/forcedphot/queue/").respond_with_json({"ra": ["not a number"]}, status=400)
    with pytest.raises(SourceError, match="not a number") as caught:
        client.submit(1.0, 1.0)
    assert type(caught.value) is SourceError


def test_a_throttled_submission_waits_as_told(client, httpserver, naps):
    detail = {"detail": "Request was throttled. Expected available in 9 seconds."}
    httpserver.expect_ordered_request("/forcedphot/queue/").respond_with_json(detail, status=429)
    httpserver.expect_ordered_request("/forcedphot/queue/").respond_with_json(described(httpserver), status=201)
    assert client.submit(1.0, 1.0).state == "queued"
    assert naps == [9.0]


def test_a_wrong_token(client, httpserver):
    httpserver.expect_request("/forcedphot/queue/").respond_with_json({"detail": "Invalid token."}, status=401)
    with pytest.raises(Unauthorized):
        client.submit(1.0, 1.0)


def test_a_submission_whose_answer_was_lost_is_found_and_not_made_twice(client, httpserver):
    made = []

    def queue(request):
        if request.method == "POST":
            made.append(request.form["comment"])
            return Response("<html>Bad Gateway</html>", status=502)
        tasks = [described(httpserver, comment="another"), described(httpserver, comment=made[0])]
        return Response(json.dumps({"results": tasks}), content_type="application/json")

    httpserver.expect_request("/forcedphot/queue/").respond_with_handler(queue)
    assert client.submit(1.0, 1.0).url.endswith("/queue/7/")
    assert len(made) == 1


def test_a_submission_that_did_not_arrive_is_unavailable(client, httpserver):
    httpserver.expect_request("/forcedphot/queue/", method="POST").respond_with_data("", status=503)
    httpserver.expect_request("/forcedphot/queue/", method="GET").respond_with_json({"results": []})
    with pytest.raises(Unavailable):
        client.submit(1.0, 1.0)


@pytest.mark.parametrize("body", ["[]", '"x"', "{}", "<html>", '{"url": 7}'])
def test_a_strange_answer_is_unavailable(client, httpserver, body):
    httpserver.expect_request("/forcedphot/queue/", method="POST").respond_with_data(body, status=201)
    with pytest.raises(Unavailable):
        client.submit(1.0, 1.0)


def test_the_token_goes_to_no_other_server(client, httpserver):
    elsewhere = "http://127.0.0.2:1/forcedphot/queue/7/"
    with pytest.raises(SourceError, match="another server"):
        client.poll(Task(elsewhere))
    with pytest.raises(SourceError, match="another server"):
        client.fetch(Task(httpserver.url_for("/forcedphot/queue/7/"), "done", elsewhere))
    assert not httpserver.log


def test_as_a_broker_it_knows_no_objects(client):
    assert client.surveys == ()
    assert list(client.search(Query("atlas"))) == []
