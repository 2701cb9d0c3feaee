"""No address that somebody types leads the TOM into its own network, whatever a name server answers."""

from __future__ import annotations

import re
import socket

import pytest
from werkzeug import Response

from tom_alerce.outgoing import addresses, line
from tom_alerce.outgoing.records import Undelivered
from tom_alerce.requests.timeouts import bounded


def answers(monkeypatch, *lists):
    """Let the name server answer with one list of addresses after the other, the last for ever."""
    asked, real = [], socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        if not host.endswith(".example"):
            return real(host, port, *args, **kwargs)
        asked.append(host)
        now = lists[min(len(asked), len(lists)) - 1]
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in now]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", getaddrinfo)
    return asked


def post(url, **kwargs):
    with bounded(20.0):
        return line.post(url, **kwargs)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1"),
        *("255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::"),
    ],
)
def test_addresses_of_networks_inside_are_not_public(address):
    assert not addresses.public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_others_are(address):
    assert addresses.public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "ftp://tom.example/", "file:///etc/passwd", "gopher://tom.example/", "https://", "//tom.example/", "https:///path"),
        *("https://user:secret@tom.example/", "https://[::1", "https://tom.example:99999/", "javascript:alert(1)", "http://tom.example/"),
    ],
)
def test_addresses_that_are_none_of_the_web_are_refused_at_once(url, monkeypatch):
    answers(monkeypatch, ["8.8.8.8"])
    assert line.refused(url)
    with pytest.raises(Undelivered) as caught:
        post(url)
    assert caught.value.for_good
    assert "secret" not in caught.value.reason


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_no_way_of_writing_this_machine_reaches_it(host, httpserver):
    with pytest.raises(Undelivered, match=r"inside a network|none of the web|no connection"):
        post(f"https://{host}:{httpserver.port}/")
    assert httpserver.log == []


def test_a_name_with_one_address_inside_is_refused_whatever_the_others(monkeypatch):
    answers(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(Undelivered, match="inside a network"):
        post("https://both.example/")


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(monkeypatch, httpserver, settings):
    """A name server that answers first with an allowed address and then with another gains nothing: its second answer does not count."""
    settings.TOM_ALERCE = {"NOTIFY": {"networks": ["127.0.0.1/32"]}}
    httpserver.expect_request("/").respond_with_data("ok")
    reached = []
    real = socket.socket.connect

    def connect(self, address):
        reached.append(address[0])
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    asked = answers(monkeypatch, ["127.0.0.1"], ["127.0.0.1"], ["10.0.0.1"])
    assert post(f"http://rebinds.example:{httpserver.port}/").text == "ok"
    assert reached == ["127.0.0.1"]
    assert len(asked) >= 2
    [(request, _)] = httpserver.log
    assert request.host == f"rebinds.example:{httpserver.port}"


def test_a_name_that_leads_inside_when_it_is_asked_is_not_asked(monkeypatch, httpserver, settings):
    settings.TOM_ALERCE = {"NOTIFY": {"networks": ["127.0.0.2/32"]}}
    answers(monkeypatch, ["127.0.0.2"], ["127.0.0.1"])
    with pytest.raises(Undelivered, match="inside a network") as caught:
        post(f"http://rebinds.example:{httpserver.port}/")
    assert caught.value.for_good
    assert httpserver.log == []


def test_plain_http_is_for_networks_of_ones_own(monkeypatch, settings):
    answers(monkeypatch, ["8.8.8.8"])
    settings.TOM_ALERCE = {"NOTIFY": {"networks": ["127.0.0.0/8"]}}
    assert "https" in line.refused("http://tom.example/")


def test_a_redirect_is_not_followed_and_an_answer_is_bounded(httpserver, settings):
    settings.TOM_ALERCE = {"NOTIFY": {"networks": ["127.0.0.0/8"]}}
    httpserver.expect_request("/away").respond_with_response(Response("", 307, {"Location": httpserver.url_for("/secret")}))
    httpserver.expect_request("/large").respond_with_data(b"x" * 3_000_000)
    with pytest.raises(Undelivered, match="leads elsewhere"):
        post(httpserver.url_for("/away"))
    assert len(post(httpserver.url_for("/large")).text) <= line.MOST
    assert [request.path for request, _ in httpserver.log] == ["/away", "/large"]


def test_no_proxy_of_the_environment_is_used(httpserver, settings, monkeypatch):
    settings.TOM_ALERCE = {"NOTIFY": {"networks": ["127.0.0.0/8"]}}
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    httpserver.expect_request(re.compile(".*")).respond_with_data("ok")
    assert post(httpserver.url_for("/")).status == 200
