import contextlib
import io
import json
import random
import zipfile

import pytest

from broker_adapters import tns_table
from broker_adapters.errors import AdapterError, PacketError, RateLimited, Unauthorized

HEADER = (
    '"objid","name_prefix","name","ra","declination","redshift","typeid","type","reporting_groupid","reporting_group","source_groupid",'
    '"source_group","discoverydate","discoverymag","discmagfilter","filter","reporters","time_received","internal_names",'
    '"Discovery_ADS_bibcode","Class_ADS_bibcodes","creationdate","lastmodified"'
)
ROWS = [
    '"111348","SN","2023bip","179.9776408","26.0688879","0.031","10","SN II","48","ZTF","48","ZTF","2023-02-02 11:34:04","17.33","110","g",'
    '"C. Fremling, A. ""B"" C","2023-02-02 13:00:00","ZTF23aabplmy, ATLAS23abc,","","","2023-02-02 13:00:00","2023-02-06 09:03:15"',
    '"5","FRB","20230101A","1.0","2.0","","","","","","","","","","","","","","","","","",""',
    '"6","AT","2026abc","359.5","-89.5","","","","18","ATLAS","18","ATLAS","2026-01-11 05:03:21.984","99.0","72","orange","","","ATLAS26x",'
    '"","","",""',
    '"7","AT","2026abd","400.0","0.0","","","","","","","","","","","","","","","","","",""',
    '"x","AT","2026abe","40.0","0.0","","","","","","","","","","","","","","","","","",""',
    '"8","AT","<script>","40.0","0.0","","","","","","","","","","","","","","","","","",""',
    '"9","TDE","2020abf","40.0","-999","","","","","","","","","","","","","","","","","",""',
    '"10","TDE","2020abf","40.0","1.5","abc","","TDE","","","","","not a date","","","","","","","","","",""',
]


def archive(rows=ROWS, first='"2026-11-26 00:00:00 - 2026-11-26 23:59:59"', header=HEADER):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("tns_public_objects.csv", "\n".join([*([first] if first else []), header, *rows]) + "\n")
    return file.getvalue()


def test_objects_are_read_and_what_cannot_be_used_is_left_out(caplog):
    one, two, three = tns_table.read(archive())
    assert (one.prefix, one.name, one.type, one.redshift, one.magnitude) == ("SN", "2023bip", "SN II", 0.031, 17.33)
    assert one.internal_names == ("ZTF23aabplmy", "ATLAS23abc")
    assert one.discovered == pytest.approx(59977.482, abs=1e-3)
    assert (two.magnitude, two.redshift, two.type) == (None, None, "")
    assert (three.objid, three.redshift, three.discovered) == (10, None, None)
    assert "2 (no place)" in caplog.text


def test_a_table_without_its_line_of_times_is_read_too():
    assert len(list(tns_table.read(archive(first="")))) == 3


def test_the_digest_changes_with_the_contents():
    one = next(tns_table.read(archive()))
    assert one.digest == next(tns_table.read(archive())).digest
    assert one.digest != one._replace(type="SN Ia").digest


@pytest.mark.parametrize("data", [b"", b"<html>blocked</html>", archive()[:200], archive(header='"objid","name"')])
def test_what_is_no_table_is_refused(data):
    with pytest.raises(PacketError):
        list(tns_table.read(data))


def test_a_thousand_damaged_tables_are_read_or_refused():
    random_, whole = random.Random(1), archive()
    for _ in range(1000):
        data = bytearray(whole)
        for _ in range(random_.randint(1, 6)):
            data[random_.randrange(len(data))] = random_.randrange(256)
        with contextlib.suppress(AdapterError):
            list(tns_table.read(bytes(data)))


def client(httpserver, key="secret-key-123"):
    return tns_table.Client(bot_id="7", bot_name="bot", api_key=key, base_url=httpserver.url_for("/"), timeout=5.0)


PATH = "/system/files/tns_public_objects/tns_public_objects"


def test_a_table_is_asked_for_with_marker_and_key(httpserver):
    seen = []

    def answer(request):
        from werkzeug import Response

        seen.append((request.headers["User-Agent"], request.form["api_key"], request.path))
        return Response(archive())

    httpserver.expect_request(f"{PATH}.csv.zip", method="POST").respond_with_handler(answer)
    httpserver.expect_request(f"{PATH}_07.csv.zip", method="POST").respond_with_handler(answer)
    assert len(list(tns_table.read(client(httpserver).table()))) == 3
    client(httpserver).table(7)
    marker, key, _ = seen[0]
    assert json.loads(marker.removeprefix("tns_marker")) == {"tns_id": "7", "type": "bot", "name": "bot"}
    assert key == "secret-key-123"


def test_limits_and_refusals_are_errors_of_ours(httpserver):
    httpserver.expect_ordered_request(f"{PATH}.csv.zip").respond_with_data("slow down", 429, {"x-rate-limit-reset": "17"})
    with pytest.raises(RateLimited) as caught:
        client(httpserver).table()
    assert caught.value.retry_after == 18.0
    httpserver.expect_ordered_request(f"{PATH}.csv.zip").respond_with_data("soon", 429, {"x-rate-limit-reset": "soon"})
    with pytest.raises(RateLimited) as caught:
        client(httpserver).table()
    assert caught.value.retry_after == 60.0
    httpserver.expect_ordered_request(f"{PATH}.csv.zip").respond_with_data("no marker", 403)
    with pytest.raises(Unauthorized):
        client(httpserver).table()
