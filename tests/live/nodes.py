"""What stands behind the gateways: servers that nobody here wrote."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import websockets.asyncio.server

from live import calls, envoy, web
from live.processes import LOOPBACK, Address, running

MEBIBYTE = 1024 * 1024

# Files of the HTTP/2 node, and how long they are.
FILES = {"small": 100, "large": 32 * MEBIBYTE}

TRAILER = ("x-sum", "7")

ANSWER = "a fast answer"


def content(length: int) -> bytes:
    """Bytes of which each line says where it stands."""
    line = 16
    return b"".join(b"%015d\n" % at for at in range(0, length + line, line))[:length]


@contextmanager
def serve_files(folder: Path) -> Iterator[Address]:
    """nghttpd: files, and uploads sent back, each answer with a trailer."""
    for name, length in FILES.items():
        (folder / name).write_bytes(content(length))
    options = ["--no-tls", "--echo-upload", f"--trailer={': '.join(TRAILER)}"]
    # It cannot take a port of the kernel's choice, so another may take the one that was free.
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = probe.getsockname()[1]
        command = ["nghttpd", "-a", LOOPBACK, "-d", folder, *options, str(port)]
        with running(command) as server:
            if server.accepts(Address(port)):
                yield Address(port)
                return


@contextmanager
def serve_echo() -> Iterator[Address]:
    """The websockets package: each message comes back, text as text, bytes as bytes."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def echo(connection: websockets.asyncio.server.ServerConnection) -> None:
        await connection.send(f"subprotocol {connection.subprotocol}")
        async for message in connection:
            if message == "close 4321":
                await connection.close(4321, "as asked")
            else:
                await connection.send(message)

    async def start() -> websockets.asyncio.server.Server:
        return await websockets.asyncio.server.serve(
            echo,
            LOOPBACK,
            0,
            max_size=None,
            compression=None,
            select_subprotocol=lambda _, offered: "b" if "b" in offered else None,
        )

    try:
        server = asyncio.run_coroutine_threadsafe(start(), loop).result()
        yield Address(server.sockets[0].getsockname()[1])
        server.close(close_connections=True)
        asyncio.run_coroutine_threadsafe(server.wait_closed(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def serve_fast(folder: Path) -> Iterator[dict[str, Address]]:
    """Envoy: short answers at once, HTTP/1.1 and HTTP/2, and one that takes its time."""
    listeners = [
        envoy.answering("fast", "HTTP1", ANSWER),
        envoy.answering("fast2", "HTTP2", ANSWER),
        envoy.answering("slow", "HTTP2", ANSWER, after="0.1s"),
    ]
    with envoy.start(folder, listeners) as server:
        yield {name: server.address(name) for name in ("fast", "fast2", "slow")}


@contextmanager
def serve(folder: Path, methods: calls.Calls) -> Iterator[dict[str, Address]]:
    """All virtual nodes of tests/live/mesh.yaml."""
    with ExitStack() as stack:
        for part in ("files", "fast"):
            (folder / part).mkdir()
        addresses = {
            "web": stack.enter_context(web.serve()),
            "files": stack.enter_context(serve_files(folder / "files")),
            "echo": stack.enter_context(serve_echo()),
            "calls": stack.enter_context(calls.serve(methods)),
        }
        addresses |= stack.enter_context(serve_fast(folder / "fast"))
        yield addresses
