import inspect
import json
import random
import socket
import threading
import time
from contextlib import suppress

import pytest
import requests
import urllib3.exceptions
from pytest_httpserver import HTTPServer
from werkzeug import Response

from broker_adapters.errors import AdapterError, RateLimited, SourceError, Unauthorized, Unavailable
from broker_adapters.sources.http import Answer, Budget, Http, budget, retry_after

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def naps():
    return []


@pytest.fixture
def http(naps):
    return Http("Service", {"Authorization": f"Token {SECRET}"}, timeout=10.0, sleep=naps.append)


@pytest.fixture
def raw():
    """A server that sends given bytes, piece by piece, and closes; for what a proper server cannot do."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def serve(*pieces: bytes, pause: float = 0.0, times: int = 1) -> str:
        def run() -> None:
            for _ in range(times):
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    try:
                        for piece in pieces:
                            connection.sendall(piece)
                            time.sleep(pause)
                    except OSError:
                        return

        thread = threading.Thread(target=run)
        thread.start()
        threads.append(thread)
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield serve
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join(5)


def test_an_answer_is_read_with_the_token_sent(http: Http, httpserver: HTTPServer):
    httpserver.expect_oneshot_request("/a", headers={"Authorization": f"Token {SECRET}"}, query_string="x=1").respond_with_json({"y": [1]})
    answer = http.get(httpserver.url_for("/a"), {"x": 1})
    assert (answer.status, answer.json()) == (200, {"y": [1]})


def test_ids_beyond_2_53_and_bare_nan_survive():
    value = Answer("x", 200, {}, b'{"id": 170028526513684557, "flux": NaN}').json()
    assert value["id"] == 170028526513684557
    assert value["flux"] != value["flux"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_passing_server_error_is_asked_again_with_growing_jittered_waits(status, http, naps, httpserver):
    for _ in range(3):
        httpserver.expect_ordered_request("/a").respond_with_data("<html>Bad <b>Gateway</b></html>", status=status)
    httpserver.expect_ordered_request("/a").respond_with_json([])
    assert http.get(httpserver.url_for("/a")).json() == []
    assert len(naps) == 3
    assert all(0.5 * 2**n <= nap <= 2**n for n, nap in enumerate(naps))


def test_retries_are_bounded_and_the_message_has_no_tags(http, naps, httpserver):
    httpserver.expect_request("/a").respond_with_data("<html><style>x{}</style>Bad <b>Gateway</b></html>", status=502)
    with pytest.raises(Unavailable, match=r"^Service \(/a\) answered 502: Bad Gateway$"):
        http.get(httpserver.url_for("/a"))
    assert len(naps) == 3
    assert len(httpserver.log) == 4


def test_429_waits_as_long_as_the_service_says(http, naps, httpserver):
    httpserver.expect_ordered_request("/a").respond_with_data("", status=429, headers={"Retry-After": "7"})
    httpserver.expect_ordered_request("/a").respond_with_json(
        {"detail": "Request was throttled. Expected available in 12 seconds."}, status=429
    )
    httpserver.expect_ordered_request("/a").respond_with_json(1)
    assert http.get(httpserver.url_for("/a")).json() == 1
    assert naps == [7.0, 12.0]


def test_429_beyond_our_patience_is_raised_at_once_with_the_wait(http, naps, httpserver):
    httpserver.expect_request("/a").respond_with_data("slow down", status=429, headers={"Retry-After": "3600"})
    with pytest.raises(RateLimited, match="slow down") as caught:
        http.get(httpserver.url_for("/a"))
    assert caught.value.retry_after == 3600
    assert naps == []


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({}, b"", None),
        ({"Retry-After": "soon"}, b"", None),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:10 GMT"}, b"", 0.0),
        ({}, b'{"detail": "Expected available in 3 minutes."}', 180.0),
        ({}, b'{"detail": "Expected available in 1 second."}', 1.0),
    ],
)
def test_the_wait_is_read_in_every_form(headers, body, expected):
    assert retry_after(Answer("x", 429, headers, body)) == expected


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_not_tried_again(status, http, naps, httpserver):
    httpserver.expect_request("/a").respond_with_json({"detail": f"Invalid token {SECRET}."}, status=status)
    with pytest.raises(Unauthorized) as caught:
        http.get(httpserver.url_for("/a"))
    assert SECRET not in str(caught.value)
    assert naps == []


@pytest.mark.parametrize("status", [400, 404, 418])
def test_a_wrong_request_is_told_with_the_reason_unless_it_is_an_answer(status, http, httpserver):
    httpserver.expect_request("/a").respond_with_json({"error": "no such column"}, status=status)
    with pytest.raises(SourceError, match=f"{status}.*no such column") as caught:
        http.get(httpserver.url_for("/a"))
    assert type(caught.value) is SourceError
    assert http.get(httpserver.url_for("/a"), accept=(status,)).status == status


def test_html_where_json_was_expected(http, httpserver):
    httpserver.expect_request("/a").respond_with_data("<html>Maintenance</html>", content_type="text/html")
    with pytest.raises(Unavailable, match="Maintenance"):
        http.get(httpserver.url_for("/a")).json()


@pytest.mark.parametrize("body", [b"", b'{"a": [1, 2', b"\xff\xfe\x00", b"[" * 100_000, b"9" * 5000])
def test_broken_json_is_unavailable(body):
    with pytest.raises(Unavailable):
        Answer("x", 200, {}, body).json()


def test_a_truncated_body_is_noticed_and_asked_for_again(http, naps, raw):
    url = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2", times=4)
    with pytest.raises(Unavailable, match=r"IncompleteRead|ProtocolError"):
        http.get(url)
    assert len(naps) == 3


def test_a_hanging_server_is_given_up(naps, raw):
    http = Http("Service", timeout=0.1, retries=0)
    with pytest.raises(Unavailable, match=r"no answer within 0\.1 s"):
        http.get(raw(b"", pause=0.4))


def test_a_dripping_server_is_given_up(raw):
    ticks = iter(range(0, 10_000, 50))
    http = Http("Service", timeout=20.0, retries=0, clock=lambda: next(ticks))
    drops = [b" "] * 100
    with pytest.raises(Unavailable, match=r"not complete within 200 s"):
        http.get(raw(b"HTTP/1.1 200 OK\r\n\r\n", *drops, pause=0.02))


def test_a_cut_connection_and_a_closed_port(http, naps, raw):
    with pytest.raises(Unavailable, match="ConnectionError"):
        http.get(raw(times=4))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unavailable, match="ConnectionError"):
        http.get(f"http://127.0.0.1:{port}/")
    assert len(naps) == 6


def test_a_giant_answer_is_refused_even_if_it_compresses(httpserver):
    import gzip

    http = Http("Service", max_bytes=1 << 20, retries=0)
    bomb = gzip.compress(b"\0" * (8 << 20))
    httpserver.expect_request("/a").respond_with_handler(lambda _: Response(bomb, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(Unavailable, match="longer than"):
        http.get(httpserver.url_for("/a"))


def test_a_post_that_may_have_arrived_is_not_repeated(http, naps, httpserver):
    httpserver.expect_request("/a", method="POST").respond_with_data("", status=502)
    with pytest.raises(Unavailable):
        http.post(httpserver.url_for("/a"), {"x": 1})
    assert (len(httpserver.log), naps) == (1, [])
    with pytest.raises(Unavailable):
        http.post(httpserver.url_for("/a"), {"x": 1}, repeatable=True)
    assert len(httpserver.log) == 5


def test_a_redirected_post_is_an_error_and_not_a_login_page(http, httpserver):
    httpserver.expect_request("/a").respond_with_data("", status=302, headers={"Location": "/login"})
    with pytest.raises(Unavailable, match="302"):
        http.post(httpserver.url_for("/a"))


def test_a_wrong_address_is_not_tried_again(http, naps):
    with pytest.raises(SourceError, match="MissingSchema"):
        http.get("no-scheme")
    assert naps == []


def test_the_address_in_a_message_has_neither_query_nor_password(http):
    with pytest.raises(Unavailable) as caught:
        Http("Service", retries=0, timeout=0.2).get("http://me:hidden@127.0.0.1:9/a?token=hidden")
    assert "hidden" not in str(caught.value)


def test_a_token_that_cannot_be_sent_is_refused_without_showing_it():
    with pytest.raises(Unauthorized) as caught:
        Http("Service", {"Authorization": f"Token {SECRET}\n"})
    assert SECRET not in str(caught.value)


def test_every_foreign_exception_of_requests_is_mapped(monkeypatch, http, naps):
    """Walks `requests.exceptions` and `urllib3.exceptions`, so that a new one is noticed."""
    found = [
        kind
        for module in (requests.exceptions, urllib3.exceptions)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception) and not issubclass(kind, Warning) and kind.__module__.startswith(("requests", "urllib3"))
    ]
    assert len(found) > 40
    for kind in found:
        error = kind.__new__(kind)

        def fail(*_, error=error, **__):
            raise error

        monkeypatch.setattr(requests.Session, "request", fail)
        with pytest.raises(AdapterError) as caught:
            http.get("http://127.0.0.1/")
        assert caught.value.__cause__ is error


def test_a_netrc_entry_does_not_replace_the_token(tmp_path, monkeypatch, http, httpserver):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login a password b\nmachine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    httpserver.expect_request("/a", headers={"Authorization": f"Token {SECRET}"}).respond_with_json(1)
    assert http.get(httpserver.url_for("/a")).json() == 1


def test_a_budget_refuses_the_call_too_many_with_the_wait():
    now = [0.0]
    calls = Budget(2, 3600, clock=lambda: now[0])
    calls.spend("x")
    now[0] = 600
    calls.spend("x")
    with pytest.raises(RateLimited, match="2 calls in 3600 s") as caught:
        calls.spend("x")
    assert caught.value.retry_after == 3000
    now[0] = 3600.0
    calls.spend("x")


def test_a_budget_is_never_exceeded_in_any_window():
    now = [0.0]
    calls, granted, chance = Budget(5, 10, clock=lambda: now[0]), [], random.Random(1)
    for _ in range(500):
        now[0] += chance.expovariate(1.0)
        with suppress(RateLimited):
            calls.spend("x")
            granted.append(now[0])
    assert len(granted) > 100
    assert all(later - earlier >= 10 for earlier, later in zip(granted, granted[5:], strict=False))


def test_clients_of_one_token_share_a_budget_and_a_used_up_one_sends_nothing(httpserver):
    assert budget("a", 1, 60) is budget("a", 1, 60)
    assert budget("a", 1, 60) is not budget("b", 1, 60)
    http = Http("Service", limit=Budget(1, 60))
    httpserver.expect_request("/a").respond_with_data(json.dumps(1))
    http.get(httpserver.url_for("/a"))
    with pytest.raises(RateLimited):
        http.get(httpserver.url_for("/a"))
    assert len(httpserver.log) == 1


DRIPS = {
    "header lines": (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "one header line": (b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
    "the status": (b"", b"H"),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "the size of a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "an extension of a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a"),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", b"X-A: b\r\n"),
    "the body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a"),
    "a body without a length": (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b" "),
    "a compressed body": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 100000\r\n\r\n", b"\x1f"),
    "redirects": (b"HTTP/1.1 302 Found\r\nLocation: /\r\n", b"X-A: b\r\n"),
}


@pytest.fixture
def drip():
    """A server that sends a start, then a piece again and again until the other side is gone or the test ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop, threads = threading.Event(), []

    def serve(start: bytes, piece: bytes) -> str:
        def run() -> None:
            with suppress(OSError):
                while not stop.is_set():
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        connection.recv(65536)
                        connection.sendall(start)
                        while not stop.wait(0.02):
                            connection.sendall(piece)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/a"

    yield serve
    stop.set()
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join(5)


@pytest.mark.parametrize("what", DRIPS)
def test_a_call_ends_whatever_drips(drip, what):
    http = Http("Service", timeout=0.05, retries=5, patience=100.0, sleep=lambda _: None)
    with pytest.raises(Unavailable, match=r"not complete within|connection failed|no answer"):
        http.get(drip(*DRIPS[what]))


def test_a_call_ends_though_it_is_the_second_on_its_connection():
    """A connection that is kept was made in a call whose deadline is over."""
    listener = socket.create_server(("127.0.0.1", 0))
    requests_ = []

    def run():
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            requests_.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
            requests_.append(connection.recv(65536))
            while True:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                time.sleep(0.02)

    thread = threading.Thread(target=run)
    thread.start()
    http = Http("Service", timeout=0.1, retries=0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/a"
    assert http.get(url).json() == 1
    with pytest.raises(Unavailable, match="not complete within 1 s"):
        http.get(url)
    thread.join(5)
    listener.close()
    assert len(requests_) == 2
    assert not thread.is_alive()


def test_repetitions_count_for_the_deadline(httpserver):
    now = [0.0]
    http = Http("Service", timeout=1.0, retries=50, sleep=lambda seconds: now.__setitem__(0, now[0] + seconds), clock=lambda: now[0])
    httpserver.expect_request("/a").respond_with_data("", status=503)
    with pytest.raises(Unavailable):
        http.get(httpserver.url_for("/a"))
    assert now[0] <= 10.0
    assert 3 <= len(httpserver.log) < 10


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("spelled", [str, str.upper, lambda text: json.dumps({"error": text})])
def test_a_token_that_a_service_echoes_is_masked_with_every_status(httpserver, status, spelled, caplog):
    http = Http("Service", {"Authorization": f"Token {SECRET}/x"}, retries=0)
    httpserver.expect_request("/a").respond_with_data(f"you sent {spelled(SECRET + '/x')}", status=status)
    try:
        answer = http.get(httpserver.url_for("/a"), accept=(200, 400))
        told = answer.text() + repr(answer)
        with pytest.raises(Unavailable) as caught:
            answer.json()
        told += str(caught.value)
    except SourceError as error:
        told = str(error)
    assert SECRET.lower() not in (told + caplog.text).lower()
    assert "***" in told
