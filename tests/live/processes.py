"""Servers that a test starts: ready when they say so, gone when the test is."""

from __future__ import annotations

import os
import re
import select
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"

# Only a server that hangs takes this long to start or to end.
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Address:
    """Where something listens."""

    port: int
    host: str = LOOPBACK

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def connect(self, timeout_seconds: float = 10.0) -> socket.socket:
        connected = socket.create_connection((self.host, self.port), timeout_seconds)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected


class Process:
    """A running server, and the last lines that it said."""

    def __init__(self, command: Sequence[str | os.PathLike[str]]) -> None:
        self._lines: deque[str] = deque(maxlen=200)
        self._said = threading.Condition()
        self._over = False
        self._child = subprocess.Popen(
            # Should this process be killed, its servers go too.
            ["setpriv", "--pdeathsig", "KILL", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._child.stdout
        for line in self._child.stdout:
            with self._said:
                self._lines.append(line.rstrip("\n"))
                self._said.notify_all()
        with self._said:
            self._over = True
            self._said.notify_all()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first line that matches, once it is said."""

        def found() -> re.Match[str] | None:
            return next(filter(None, (re.search(pattern, line) for line in self._lines)), None)

        with self._said:
            self._said.wait_for(lambda: found() or self._over, PATIENCE_SECONDS)
            match = found()
        assert match, f"{self._child.args} did not say {pattern!r}:\n{self.said()}"
        return match

    def accepts(self, address: Address) -> bool:
        """Whether it accepts connections, once it does; false if it ends instead."""
        end = time.monotonic() + PATIENCE_SECONDS
        ended = os.pidfd_open(self._child.pid)
        try:
            while time.monotonic() < end:
                with suppress(ConnectionRefusedError), address.connect():
                    return self.running()
                if select.select([ended], [], [], 0.01)[0]:
                    return False
        finally:
            os.close(ended)
        raise AssertionError(f"{self._child.args} does not listen:\n{self.said()}")

    def said(self) -> str:
        return "\n".join(self._lines)

    def running(self) -> bool:
        return self._child.poll() is None

    def resident_bytes(self) -> int:
        """Memory that it holds now. Source: proc(5), statm."""
        pages = int(Path(f"/proc/{self._child.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE")

    def stop(self) -> None:
        self._child.kill()
        self._child.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)


@contextmanager
def running(command: Sequence[str | os.PathLike[str]]) -> Iterator[Process]:
    """Start a server; kill it in the end, whatever happened."""
    process = Process(command)
    try:
        yield process
    finally:
        process.stop()
