"""The way out: what is refused, what is followed, what is counted; against a real server, well-behaved and not."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
import time
import zlib

import pytest
from helpers.web_server import page, redirect, serving

from satchel.runtime.errors import CancelledError, OutOfTimeError
from satchel.runtime.permissions.places import parse_address
from satchel.runtime.tools.base import CallContext, Cancellation
from satchel.runtime.tools.egress import Egress, Limits, Request
from satchel.runtime.tools.egress_addresses import inner_kind, pin
from satchel.runtime.tools.errors import EgressError


def context(seconds=20.0, cancellation=None):
    return CallContext(time.monotonic() + seconds, seconds, cancellation or Cancellation())


def fetch(address, egress, **rest):
    return egress.fetch(Request(parse_address(address), **rest), context())


def fetched(answer, *, limits=None, path="/", **rest):
    """Fetch once from a server with this answer, its place granted by name."""
    with serving(answer if callable(answer) else lambda _request, _body: answer) as server:
        return fetch(server.place + path, Egress([server.place], limits=limits), **rest)


def test_a_page_comes_with_its_status_and_headers():
    response = fetched(page("hello", "X-Note: one", "X-Note: two", status="404 Not Found"))
    assert (response.status, response.body, response.was_cut) == (404, b"hello", False)
    assert response.headers["x-note"] == "one"


def test_what_is_sent_is_what_was_asked_for_and_counted():
    with serving(lambda _request, body: page(body)) as server:
        egress = Egress([server.place])
        request = Request(parse_address(f"{server.place}/a?b=c"), "POST", {"X-Key": "value"}, b"body")
        assert egress.fetch(request, context()).body == b"body"
        lines = server.requests[0].splitlines()
        traffic = egress.traffic[server.place]
    assert lines[0] == "POST /a?b=c HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}" in lines
    assert "X-Key: value" in lines
    assert (traffic.requests, traffic.received_bytes) == (1, 4)
    assert traffic.sent_bytes >= 4 + len("/a?b=c")


def test_what_is_granted_meanwhile_counts_at_once():
    granted = set()
    with serving(lambda _request, _body: page("hello")) as server:
        egress = Egress(lambda: granted)
        with pytest.raises(EgressError, match="has to be granted by its name"):
            fetch(server.place, egress)
        assert fetch(server.place, egress.naming(server.place)).body == b"hello"
        granted.add(server.place)
        assert fetch(server.place, egress).body == b"hello"
    assert egress.traffic[server.place].requests == 2, "both ways out count together"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "[::1]", "[::]",
     "[::ffff:127.0.0.1]", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "[fe80::1]", "[fd00:ec2::254]",
     "100.64.0.1", "100.100.100.200", "168.63.129.16", "224.0.0.1", "255.255.255.255", "[64:ff9b::7f00:1]",
     "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[fec0::1]", "[ff02::1]", "[::7f00:1]", "192.0.2.1", "198.18.0.1",
     "[2001:db8::1]"],
)  # fmt: skip
def test_no_address_inside_is_reached_unless_granted(host):
    address = parse_address(f"http://{host}:1/")
    assert address is not None
    with pytest.raises(EgressError, match=r"granted by its name|no such host"):
        Egress().fetch(Request(address), context())


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "1.1.1.1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::101:101"]
)
def test_public_addresses_are_public(address):
    assert inner_kind(ipaddress.ip_address(address)) == ""


def test_whether_a_place_is_inside_is_known():
    for address, is_inside in (("93.184.215.14", False), ("10.0.0.1", True)):
        pinned = pin("p", "h", 1, private_is_granted=True, resolve=lambda _host, _port, one=address: [one])
        assert pinned.is_inside == is_inside


def test_a_name_that_leads_inside_is_refused():
    egress = Egress(resolve=lambda _host, _port: ["127.0.0.1"])
    with pytest.raises(EgressError, match="this computer itself"):
        fetch("http://example.org/", egress)


def test_one_inner_address_among_public_ones_refuses_the_name():
    egress = Egress(resolve=lambda _host, _port: ["93.184.215.14", "10.0.0.1"])
    with pytest.raises(EgressError, match="private network"):
        fetch("http://example.org/", egress)


def test_a_name_is_resolved_once_and_connected_to_what_was_looked_at():
    """DNS rebinding: a second answer would lead elsewhere."""
    answers = [["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]]
    with serving(lambda _request, _body: page("hello")) as server:
        place = f"http://example.org:{server.port}"
        egress = Egress([place], resolve=lambda _host, _port: answers.pop(0))
        assert fetch(f"{place}/", egress).body == b"hello"
        assert server.requests[0].splitlines()[1] == f"Host: example.org:{server.port}"
    assert len(answers) == 2


def test_a_granted_place_opens_no_other_port_and_no_other_scheme():
    with serving(lambda _request, _body: page("hello")) as server:
        egress = Egress([server.place])
        for other in (f"http://127.0.0.1:{server.port + 1}/", f"https://127.0.0.1:{server.port}/", "http://127.0.0.1/"):
            with pytest.raises(EgressError, match="granted by its name"):
                fetch(other, egress)
        assert server.requests == []


def test_a_host_that_does_not_exist_is_named():
    def resolve(_host, _port):
        raise OSError("no")

    with pytest.raises(EgressError, match=r"http://nowhere\.example: there is no such host"):
        fetch("http://nowhere.example/", Egress(resolve=resolve))


def test_a_redirect_within_the_place_is_followed():
    def answer(request, _body):
        return page("there") if request.startswith("GET /b") else redirect("/b?x=1#part")

    response = fetched(answer, path="/a")
    assert (response.body, response.address.path) == (b"there", "/b?x=1")


def test_a_redirect_elsewhere_is_told_and_not_followed():
    with serving(lambda _request, _body: page("secret")) as other:
        response = fetched(redirect(f"{other.place}/x"))
        assert response.redirect.text == f"{other.place}/x"
        assert other.requests == []


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "gopher://127.0.0.1/", "javascript:1", "http://user:pw@127.0.0.1/", "http://", "//", "http://[::1",
     "\\\\evil\\x", "data:text/plain,x"],
)  # fmt: skip
def test_a_redirect_to_what_is_no_web_address_is_refused(location):
    with pytest.raises(EgressError, match=r"no web address|no HTTP|in a circle"):
        fetched(redirect(location))


def test_a_redirect_inside_from_a_public_place_goes_nowhere():
    response = fetched(redirect("http://169.254.169.254/latest/meta-data/"))
    assert response.redirect.host == "169.254.169.254"
    with pytest.raises(EgressError, match="metadata"):
        fetch(response.redirect.text, Egress())


def test_a_circle_of_redirects_ends():
    with pytest.raises(EgressError, match="in a circle"):
        fetched(lambda request, _body: redirect("/b" if "GET /a" in request else "/a"), path="/a")


def test_redirects_without_end_end():
    count = iter(range(1000))
    with pytest.raises(EgressError, match="more than 5 times"):
        fetched(lambda _request, _body: redirect(f"/{next(count)}"))


@pytest.mark.parametrize(("status", "method"), [("303 Other", "GET"), ("302 Found", "GET"), ("307 Temporary", "POST")])
def test_a_redirect_keeps_or_changes_the_method_as_its_status_says(status, method):
    seen = []

    def answer(request, body):
        seen.append((request.split()[0], body))
        return page("done") if "/b" in request.splitlines()[0] else redirect("/b", status)

    fetched(answer, method="POST", body=b"x")
    assert seen[1] == (method, b"x" if method == "POST" else b"")


def test_a_body_past_the_limit_is_cut():
    response = fetched(page("x" * 100_000), limits=Limits(most_bytes=1000))
    assert (len(response.body), response.was_cut) == (1000, True)


def test_a_body_that_unpacks_without_end_is_cut():
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    bomb = packer.compress(bytes(50 << 20)) + packer.flush()
    response = fetched(page(bomb, "Content-Encoding: gzip"), limits=Limits(most_bytes=100_000))
    assert (len(response.body), response.was_cut) == (100_000, True)


@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", zlib.MAX_WBITS | 16), ("deflate", zlib.MAX_WBITS)])
def test_packed_bodies_are_unpacked_whole(encoding, wbits):
    text = bytes(range(256)) * 4000
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    assert fetched(page(packer.compress(text) + packer.flush(), f"Content-Encoding: {encoding}")).body == text


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"",
        b"garbage",
        b"\x00" * 1000,
        b"HTTP/1.1 999999999 x\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        page("x", "Content-Encoding: br"),
        page("not packed", "Content-Encoding: gzip"),
    ],
)
def test_an_answer_that_is_none_is_an_error_that_names_the_place(answer):
    with pytest.raises(EgressError, match=r"http://127\.0\.0\.1:\d+: "):
        fetched(answer)


def test_letters_beyond_ascii_are_encoded_in_the_path():
    with serving(lambda _request, _body: page("x")) as server:
        fetch(f"{server.place}/wiki/K\u00f6ln?q=\u00fc&r=%20", Egress([server.place]))
        assert server.requests[0].startswith("GET /wiki/K%C3%B6ln?q=%C3%BC&r=%20 HTTP/1.1")


def test_header_values_cannot_smuggle_others():
    with pytest.raises(EgressError, match=r"Invalid header value|header"):
        fetched(page("x"), headers={"X-Key": "a\r\nHost: evil"})


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding"])
def test_headers_that_are_the_connections_own_are_refused(name):
    with pytest.raises(EgressError, match="not for a tool to set"):
        fetched(page("x"), headers={name: "1"})


def test_nobody_sends_more_than_the_limit():
    with pytest.raises(EgressError, match="too much to send"):
        fetched(page("x"), limits=Limits(most_sent_bytes=100), method="POST", body=b"x" * 101)


def test_a_chat_moves_no_more_than_its_limit_in_all():
    with serving(lambda _request, _body: page("x" * 1000)) as server:
        egress = Egress([server.place], limits=Limits(most_bytes_in_all=2500))
        fetch(f"{server.place}/", egress)
        fetch(f"{server.place}/", egress)
        with pytest.raises(EgressError, match="2,500 bytes, its limit"):
            fetch(f"{server.place}/", egress)


def test_a_server_that_says_nothing_ends_with_the_time():
    release = threading.Event()
    with serving(lambda _request, _body: release.wait(10) and None) as server:
        egress = Egress([server.place], limits=Limits(socket_seconds=0.2))
        with pytest.raises(EgressError, match="did not answer in time"):
            fetch(f"{server.place}/", egress)
        release.set()


def test_cancelling_wakes_who_waits_for_a_server():
    release, asked, cancellation = threading.Event(), threading.Event(), Cancellation()

    def answer(_request, _body):
        asked.set()
        release.wait(20)

    def cancel():
        asked.wait(20)
        cancellation.cancel()

    with serving(answer) as server:
        canceller = threading.Thread(target=cancel)
        canceller.start()
        with pytest.raises(CancelledError):
            Egress([server.place]).fetch(Request(parse_address(f"{server.place}/")), context(20, cancellation))
        canceller.join()
        release.set()


def test_a_call_whose_time_is_up_asks_nobody():
    with serving(lambda _request, _body: page("x")) as server:
        with pytest.raises(OutOfTimeError):
            Egress([server.place]).fetch(Request(parse_address(f"{server.place}/")), context(-1))
        assert server.requests == []


def certificate(folder, name):
    """Write a certificate for one name, signed by itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(tz=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def test_tls_needs_a_certificate_of_the_very_name(tmp_path):
    certificate(tmp_path, "example.org")
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    with serving(lambda _request, _body: page("secret"), server_side) as server:
        places = [f"https://{name}:{server.port}" for name in ("example.org", "other.org")]

        def egress(tls=None):
            return Egress(places, resolve=lambda _host, _port: ["127.0.0.1"], tls=tls)

        assert fetch(f"{places[0]}/", egress(trusting)).body == b"secret"
        with pytest.raises(EgressError, match="certificate is not valid"):
            fetch(f"{places[1]}/", egress(trusting))
        with pytest.raises(EgressError, match="certificate is not valid"):
            fetch(f"{places[0]}/", egress())
