"""The websockets package on both sides of the gateway: every message arrives whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import websockets.exceptions
from websockets.asyncio.client import connect
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_sync

from live.nodes import content
from live.serving import Serving

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE

# Around each place where a frame's head changes its form, and large ones.
# Source: RFC 6455, section 5.2.
SIZES = [0, 1, 125, 126, 127, 128, 65535, 65536, 65537, MEBIBYTE, 16 * MEBIBYTE]
IN_PIECES = [
    *[(size, piece) for size in (2, 126, 4000) for piece in (1, 125, 126, 1000)],
    *[(size, piece) for size in (65535, 65537, MEBIBYTE) for piece in (1000, 4096, 65535, 65536)],
    (16 * MEBIBYTE, 65536),
]
OPTIONS = {"max_size": None, "compression": None, "ping_interval": None}


def url(gateway: Serving, path: str = "/echo/") -> str:
    return gateway.url("http", path).replace("http", "ws", 1)


@pytest.fixture(scope="module")
def client(gateway: Serving) -> Iterator[ClientConnection]:
    """One connection for all messages."""
    with connect_sync(url(gateway), **OPTIONS) as client:
        assert client.recv() == "subprotocol None"
        yield client


def text(length: int) -> str:
    """Characters of one to four bytes, so many bytes in all."""
    whole = "aé€😀" * (length // 10)
    return whole + "x" * (length - len(whole.encode()))


@pytest.mark.parametrize("size", SIZES)
def test_a_message_comes_back(client: ClientConnection, size: int) -> None:
    client.send(content(size))
    assert client.recv() == content(size)
    client.send(text(size))
    assert client.recv() == text(size)


@pytest.mark.parametrize(("size", "piece"), IN_PIECES)
def test_a_message_in_pieces_comes_back(client: ClientConnection, size: int, piece: int) -> None:
    message = content(size)
    client.send(message[at : at + piece] for at in range(0, size, piece))
    assert client.recv() == message


@pytest.mark.parametrize("length", [0, 4, 125])
def test_a_ping_is_answered_by_the_service(client: ClientConnection, length: int) -> None:
    assert client.ping(b"p" * length).wait(30)
    client.send("after")
    assert client.recv() == "after"


def test_close_codes_arrive_at_both_ends(gateway: Serving) -> None:
    """At the same time: an upstream's close takes two seconds (ENV-HTTP-93)."""

    async def close(code: int) -> None:
        async with connect(url(gateway), **OPTIONS) as client:
            assert await client.recv() == "subprotocol None"
            await client.close(code, "good bye")
            assert (client.close_code, client.close_reason) == (code, "good bye")

    async def be_closed() -> None:
        async with connect(url(gateway), subprotocols=["c", "b"], **OPTIONS) as client:
            assert client.subprotocol == "b"
            assert await client.recv() == "subprotocol b"
            await client.send("close 4321")
            with pytest.raises(websockets.exceptions.ConnectionClosedError):
                await client.recv()
            assert (client.close_code, client.close_reason) == (4321, "as asked")

    async def all_of_them() -> None:
        codes = [1000, 1001, 1011, 3000, 4999]
        await asyncio.gather(be_closed(), *(close(code) for code in codes))

    asyncio.run(all_of_them())


def test_what_is_no_websocket_service_refuses(gateway: Serving) -> None:
    with (
        pytest.raises(websockets.exceptions.InvalidStatus) as refused,
        connect_sync(url(gateway, "/fast/"), **OPTIONS),
    ):
        pass
    assert refused.value.response.status_code == 200


def test_fifty_at_once_each_get_their_own(gateway: Serving) -> None:
    async def talk(number: int) -> None:
        async with connect(url(gateway), **OPTIONS) as client:
            assert await client.recv() == "subprotocol None"
            for turn in range(20):
                message = f"{number}/{turn} ".encode() * (1 + 50 * turn)
                await client.send(message)
                assert await client.recv() == message

    async def all_of_them() -> None:
        await asyncio.gather(*(talk(number) for number in range(50)))

    asyncio.run(all_of_them())
