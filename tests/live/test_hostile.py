"""Clients that mean harm: each is stopped where a real Envoy stops it, costs the gateway little,
and others are served meanwhile.

Limits measured with Envoy 1.40; the same tests run against it.
"""

from __future__ import annotations

import resource
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pytest

from live.frames import (
    ACK,
    CANCEL,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    PING,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    Connection,
    Frame,
    frame,
    literal,
    request,
    rst_stream,
    settings,
    window_update,
)
from live.serving import Serving

MEBIBYTE = 1024 * 1024

# The longest that anything here may take; an Envoy closes about a second after it decided to.
SECONDS = 5

# What any one of these clients may cost the gateway, whatever it does.
COST_BYTES = 128 * MEBIBYTE

INTERNAL_ERROR, COMPRESSION_ERROR = 2, 9


def get(stream: int, path: str = "/fast/") -> bytes:
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, request(path))


def upload(stream: int) -> bytes:
    """A request that stays open: the node waits for its end."""
    return frame(HEADERS, END_HEADERS, stream, request("/files/echo", "POST"))


@dataclass
class Client:
    """A connection to the http2 listener, past the first SETTINGS."""

    connection: Connection
    frames: list[Frame] = field(default_factory=list)

    def send(self, data: bytes) -> None:
        self.connection.send(data)

    def read(self, enough: Callable[[Frame], bool]) -> bool:
        """Reads until a frame is enough, or the peer ends the connection: false."""
        while not self.connection.over:
            come = self.connection.read(SECONDS)
            assert come or self.connection.rest or self.connection.over, "nothing comes"
            self.frames += come
            if any(enough(one) for one in come):
                return True
        return False

    def answers(self, stream: int, path: str = "/fast/") -> bool:
        """Whether a request is answered to its end."""
        self.send(get(stream, path))
        return self.read(lambda one: one.stream == stream and bool(one.flags & END_STREAM))

    def survives(self) -> bool:
        self.send(frame(PING, 0, 0, b"alive???"))
        return self.read(lambda one: one.kind == PING and one.payload == b"alive???")

    def goaways(self) -> list[int]:
        """Their error codes."""
        return [
            struct.unpack_from(">I", one.payload, 4)[0] for one in self.frames if one.kind == GOAWAY
        ]


@contextmanager
def client_of(
    gateway: Serving, *values: tuple[int, int], listener: str = "http2"
) -> Iterator[Client]:
    with gateway.address(listener).connect(SECONDS) as socket:
        client = Client(Connection(socket))
        client.connection.begin(*values)
        assert client.read(lambda one: one.kind == SETTINGS and bool(one.flags & ACK))
        client.send(frame(SETTINGS, ACK, 0))
        yield client


@pytest.fixture
def others(gateway: Serving) -> Iterator[Callable[[], bool]]:
    """`others()`: whether a well-behaved client is served, on a connection that it keeps."""
    with client_of(gateway) as client:
        streams = iter(range(1, 1 << 30, 2))
        yield lambda: client.answers(next(streams))


@dataclass
class Cost:
    """Memory that the gateway came to hold."""

    gateway: Serving
    listener: str = "http2"
    before: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        self.before = self.most = self.gateway.resident_bytes(self.listener)

    def look(self) -> None:
        self.most = max(self.most, self.gateway.resident_bytes(self.listener))

    @property
    def bytes(self) -> int:
        self.look()
        return self.most - self.before


@pytest.fixture
def cost(gateway: Serving) -> Cost:
    return Cost(gateway)


@dataclass(frozen=True)
class Flood:
    """The same again and again: so often it is borne, once more and the connection ends."""

    borne: int
    piece: Callable[[int], bytes]
    first: bytes = b""
    last: bytes = b""
    listener: str = "http2"

    def survived(self, gateway: Serving, times: int) -> bool:
        """Whether the connection outlives it. One that ends does so without GOAWAY."""
        with client_of(gateway, listener=self.listener) as client:
            client.send(self.first + b"".join(map(self.piece, range(times))) + self.last)
            alive = client.survives()
            assert client.goaways() == []
            return alive


def dependency(_: int) -> bytes:
    return frame(PRIORITY, 0, 100_001, struct.pack(">IB", 0, 5))


def empty_data(_: int) -> bytes:
    return frame(DATA, 0, 1)


def reset_request(number: int) -> bytes:
    stream = 2 * number + 1
    begin = frame(HEADERS, END_HEADERS, stream, request("/web/", "POST"))
    return begin + rst_stream(stream, CANCEL)


FLOODS = {
    "priority": Flood(100, dependency),
    "priority-with-a-stream": Flood(200, dependency, upload(1)),
    "window-update": Flood(5, lambda _: window_update(0, 1)),
    "window-update-with-a-stream": Flood(7, lambda _: window_update(0, 1), upload(1)),
    "window-update-of-a-stream": Flood(7, lambda _: window_update(1, 1), upload(1)),
    "empty-data": Flood(1, empty_data, upload(1)),
    "settings-acknowledged-unasked": Flood(0, lambda _: frame(SETTINGS, ACK, 0)),
    "continuations": Flood(
        511,
        lambda number: frame(CONTINUATION, 0, 1, literal(f"a{number}", "b")),
        frame(HEADERS, END_STREAM, 1, request()),
        frame(CONTINUATION, END_HEADERS, 1, literal("last", "one")),
    ),
    "continuations-without-payload": Flood(
        1,
        lambda _: frame(CONTINUATION, 0, 1),
        frame(HEADERS, END_STREAM, 1, request()),
        frame(CONTINUATION, END_HEADERS, 1, literal("last", "one")),
    ),
    "streams": Flood(1024, lambda number: upload(2 * number + 1)),
}


def test_a_client_that_resets_its_requests_is_cut_off_at_the_250th(gateway: Serving) -> None:
    """Behind an http listener, and alone: an inner hop that is HTTP/2 has one connection for all
    clients, which is cut off as well; then all are answered, and their resets not premature."""
    flood = Flood(249, reset_request, listener="http")
    assert flood.survived(gateway, flood.borne)
    assert not flood.survived(gateway, flood.borne + 1)


def test_each_flood_is_borne_so_long_and_no_longer(
    gateway: Serving, others: Callable[[], bool], cost: Cost
) -> None:
    """All at the same time: each connection that is ended stays for another second."""
    with ThreadPoolExecutor(2 * len(FLOODS)) as threads:
        borne = {
            name: threads.submit(flood.survived, gateway, flood.borne)
            for name, flood in FLOODS.items()
        }
        ended = {
            name: threads.submit(flood.survived, gateway, flood.borne + 1)
            for name, flood in FLOODS.items()
        }
        assert others()
        assert [name for name, alive in borne.items() if not alive.result()] == []
        assert [name for name, alive in ended.items() if alive.result()] == []
    assert others()
    assert cost.bytes < COST_BYTES


def test_too_many_fields_reset_the_request_alone(gateway: Serving) -> None:
    flood = FLOODS["continuations"]
    with client_of(gateway) as client:
        client.send(flood.first + b"".join(map(flood.piece, range(200))) + flood.last)
        assert client.survives()
        resets = [one.payload for one in client.frames if one.kind == RST_STREAM]
        assert resets == [struct.pack(">I", INTERNAL_ERROR)]
        assert client.answers(3)


def test_a_field_without_end_is_not_kept(
    gateway: Serving, others: Callable[[], bool], cost: Cost
) -> None:
    with client_of(gateway) as client:
        # A literal name, and a value of 16 MiB to come.
        client.send(frame(HEADERS, 0, 1, request() + b"\x00\x01a" + b"\x7f\x81\xff\xff\x07"))
        for _ in range(1000):
            client.send(frame(CONTINUATION, 0, 1, b"x" * 16384))
            if client.connection.over:
                break
        assert not client.survives()
    assert others()
    assert cost.bytes < COST_BYTES


def test_resets_of_a_stream_that_is_over_are_borne_for_a_while(
    gateway: Serving, others: Callable[[], bool]
) -> None:
    """A thousand, and some more each second."""
    with client_of(gateway) as client:
        assert client.answers(1)
        client.send(rst_stream(1) * 900)
        assert client.survives()
        for _ in range(30):
            client.send(rst_stream(1) * 100)
        assert not all(client.survives() for _ in range(10))
        assert client.goaways() == [INTERNAL_ERROR]
    assert others()


def test_a_hundred_thousand_requests_reset_at_once(
    gateway: Serving, others: Callable[[], bool], cost: Cost
) -> None:
    """CVE-2023-44487: each connection is ended after 250, so that it takes 400 of them."""
    requests = b"".join(
        get(2 * number + 1, "/files/large") + rst_stream(2 * number + 1) for number in range(1000)
    )
    for turn in range(100):
        with client_of(gateway) as client:
            client.send(requests)
            assert not client.survives()
            assert client.goaways() == []
        if turn % 10 == 0:
            assert others()
            cost.look()
    assert others()
    assert cost.bytes < COST_BYTES


@pytest.mark.parametrize("kind", ["ping", "settings"])
def test_who_asks_and_reads_is_served_for_ever(
    gateway: Serving, others: Callable[[], bool], cost: Cost, kind: str
) -> None:
    one = {"ping": frame(PING, 0, 0, b"12345678"), "settings": settings()}[kind]
    with client_of(gateway) as client:
        for _ in range(100):
            client.send(one * 300)
            assert client.survives()
        expected = PING if kind == "ping" else SETTINGS
        acknowledged = [
            each for each in client.frames if each.kind == expected and each.flags & ACK
        ]
        assert len(acknowledged) >= 30_000
        assert client.goaways() == []
    assert others()
    assert cost.bytes < COST_BYTES


@pytest.mark.parametrize("kind", ["ping", "settings"])
def test_who_asks_and_does_not_read_is_cut_off(
    gateway: Serving, others: Callable[[], bool], cost: Cost, kind: str
) -> None:
    """At the latest when the answers fill the kernel's buffers and the gateway's own limit."""
    one = {"ping": frame(PING, 0, 0, b"12345678"), "settings": settings()}[kind]
    with client_of(gateway) as client:
        for _ in range(2000):
            client.send(one * 1000)
            if client.connection.over:
                break
        assert others()
        assert not client.survives()
    assert cost.bytes < COST_BYTES


def test_frames_of_unknown_type_are_borne(gateway: Serving, others: Callable[[], bool]) -> None:
    with client_of(gateway) as client:
        client.send(frame(0x42, 0, 0, b"x" * 100) * 30_000)
        assert client.survives()
        assert client.answers(1)
    assert others()


# All requests of an http2 listener share one connection between the hops (ENV-HTTP-01), and its
# window of 24 MiB. One reader who stops may keep 16 MiB of it. Thirty keep all: a real Envoy then
# serves nobody before they go or their requests time out, so that others are asked about later.
SHUT = {
    # Its windows are shut.
    "windows": ((INITIAL_WINDOW_SIZE, 0), b""),
    # Its windows are open, the kernel's buffers fill up.
    "buffers": ((INITIAL_WINDOW_SIZE, (1 << 31) - 1), window_update(0, (1 << 31) - 1 - 65535)),
}


@pytest.mark.parametrize("shut", SHUT)
def test_who_reads_no_more_does_not_hold_up_others(
    gateway: Serving, others: Callable[[], bool], cost: Cost, shut: str
) -> None:
    value, first = SHUT[shut]
    with client_of(gateway, value) as client:
        client.send(first + get(1, "/files/large"))
        assert client.read(lambda one: one.kind == HEADERS)
        for _ in range(100):
            assert others()
            cost.look()
    assert cost.bytes < COST_BYTES


@pytest.mark.parametrize("shut", SHUT)
def test_thirty_answers_that_nobody_takes_are_not_kept_whole(
    gateway: Serving, others: Callable[[], bool], cost: Cost, shut: str
) -> None:
    value, first = SHUT[shut]
    with client_of(gateway, value) as client:
        client.send(first + b"".join(get(2 * i + 1, "/files/large") for i in range(30)))
        assert client.read(lambda one: one.kind == HEADERS)
        with client_of(gateway) as other:
            for _ in range(300):
                assert other.survives()
                cost.look()
    assert others()
    # A real Envoy keeps what the window of each stream lets in, in each hop: 16 MiB.
    assert cost.bytes < (COST_BYTES if gateway.target == "meshproof" else 30 * 32 * MEBIBYTE)


SILENT = 10_000


@pytest.mark.parametrize("listener", ["http", "http2"])
def test_ten_thousand_who_say_nothing(
    gateway: Serving, others: Callable[[], bool], listener: str
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(SILENT, (hard if hard != resource.RLIM_INFINITY else SILENT * 2) - 1000)
    cost = Cost(gateway, listener)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 1000), hard))
    try:
        with ExitStack() as stack:
            for number in range(count):
                stack.enter_context(gateway.address(listener).connect(SECONDS))
                if number % 1000 == 0:
                    assert others()
            assert others()
            # 64 KiB each.
            assert cost.bytes < count * 65536
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert others()


PARTS = {
    "request-line": ("http", b"GET /fa"),
    "header": ("http", b"GET /fast/ HTTP/1.1\r\nhost: a\r\nx-"),
    "body": ("http", b"POST /fast/ HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc"),
    "chunk": ("http", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nff\r\nabc"),
    "preface": ("http2", b"PRI * HTTP/2.0\r\n\r\nS"),
    "frame-head": ("http2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings()[:5]),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_thousand_who_send_a_part_and_stop(
    gateway: Serving, others: Callable[[], bool], part: str
) -> None:
    """A client that sends a byte a second is one of these for most of its time."""
    listener, begun = PARTS[part]
    cost = Cost(gateway, listener)
    with ExitStack() as stack:
        for number in range(1000):
            client = stack.enter_context(gateway.address(listener).connect(SECONDS))
            client.sendall(begun)
            if number % 100 == 0:
                assert others()
        assert others()
        assert cost.bytes < COST_BYTES
    assert others()


def test_a_head_without_end_is_refused(gateway: Serving, others: Callable[[], bool]) -> None:
    with gateway.address("http").connect(SECONDS) as client:
        client.sendall(b"GET /fast/ HTTP/1.1\r\nhost: a\r\nx: " + b"x" * (60 * 1024))
        assert client.recv(4096).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert others()
