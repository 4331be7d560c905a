"""HTTP/2 frames by hand, for clients that no library would be.

Source: RFC 9113, sections 4 and 6.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE = range(6)
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(6, 10)

NAMES = [
    "DATA",
    "HEADERS",
    "PRIORITY",
    "RST_STREAM",
    "SETTINGS",
    "PUSH_PROMISE",
    "PING",
    "GOAWAY",
    "WINDOW_UPDATE",
    "CONTINUATION",
]

END_STREAM = ACK = 0x1
END_HEADERS = 0x4

NO_ERROR, ENHANCE_YOUR_CALM, CANCEL = 0, 11, 8

HEADER_TABLE_SIZE, _, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = range(1, 6)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*values: tuple[int, int]) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *value) for value in values))


def literal(name: str, value: str) -> bytes:
    """A field that neither side puts in its table. Source: RFC 7541, section 6.2.2."""
    return b"\x00" + b"".join(string(text.encode()) for text in (name, value))


def string(text: bytes) -> bytes:
    length = len(text)
    if length < 127:
        return bytes([length]) + text
    rest, more = length - 127, b"\x7f"
    while rest >= 128:
        more += bytes([rest % 128 | 128])
        rest //= 128
    return more + bytes([rest]) + text


def request(path: str = "/", method: str = "GET", authority: str = "gateway.example") -> bytes:
    """The header block of a request."""
    fields = {":method": method, ":scheme": "http", ":authority": authority, ":path": path}
    return b"".join(literal(name, value) for name, value in fields.items())


def rst_stream(stream: int, code: int = CANCEL) -> bytes:
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def window_update(stream: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


@dataclass(frozen=True)
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    def __str__(self) -> str:
        name = NAMES[self.kind] if self.kind < 10 else str(self.kind)
        return f"{name} stream={self.stream} flags={self.flags} length={len(self.payload)}"


@dataclass
class Connection:
    """A client's end of a connection, on which anything may be sent."""

    socket: socket.socket
    rest: bytes = b""
    over: str = field(default="", init=False)  # "closed" or "reset" once the peer ended it

    def begin(self, *values: tuple[int, int]) -> None:
        self.send(PREFACE + settings(*values))

    def send(self, data: bytes) -> bool:
        """False: the peer has ended the connection, or does not read."""
        try:
            self.socket.sendall(data)
        except TimeoutError:
            self.over = "stuck"
        except OSError:
            self.over = "reset"
        return not self.over

    def read(self, timeout_seconds: float) -> list[Frame]:
        """What has come, waiting for the first byte at most so long."""
        self.socket.settimeout(timeout_seconds)
        try:
            data = self.socket.recv(1 << 20)
            if not data:
                self.over = "closed"
        except (TimeoutError, BlockingIOError):
            data = b""
        except ConnectionError:
            data, self.over = b"", "reset"
        finally:
            self.socket.settimeout(10)
        self.rest += data
        return self._split()

    def _split(self) -> list[Frame]:
        frames, at = [], 0
        while len(self.rest) - at >= 9:
            length = int.from_bytes(self.rest[at : at + 3])
            if len(self.rest) - at < 9 + length:
                break
            kind, flags, stream = struct.unpack_from(">BBI", self.rest, at + 3)
            frames.append(Frame(kind, flags, stream, self.rest[at + 9 : at + 9 + length]))
            at += 9 + length
        self.rest = self.rest[at:]
        return frames

    def close(self) -> None:
        self.socket.close()
