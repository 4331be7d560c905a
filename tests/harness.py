"""A scenario to start from, and a bounded, measured call of the program."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# The smallest scenario: one listener, one gateway route, one request.
SMALLEST = """\
scenario: The matched prefix becomes /
clauses: [RW-02]

mesh:
  - virtualGateway: edge
    spec: { listeners: [ { portMapping: { port: 9080, protocol: http } } ] }
  - gatewayRoute: chapters
    virtualGateway: edge
    spec:
      httpRoute:
        match: { prefix: /chapter }
        action: { target: { virtualService: { virtualServiceName: books.shop.local } } }

steps:
  - request: GET http://edge/chapter/1
    expect:
      status: 200
      service: { name: books.shop.local, path: /1, host: books.shop.local }
"""


@dataclass(frozen=True)
class Done:
    """How one call of the program ended, and what it cost."""

    status: int
    stdout: str
    stderr: str
    cpu_seconds: float
    peak_bytes: int

    @property
    def results(self) -> dict[str, Any]:
        return json.loads(self.stdout)


@dataclass(frozen=True)
class Limits:
    """What a call may use; the kernel ends one that uses more."""

    cpu_seconds: int = 60
    address_bytes: int | None = None


def call(
    program: Path,
    arguments: Sequence[str | os.PathLike[str]],
    *,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Done:
    """Call the program and say how it ended and what it used, apart from any other child."""
    limits = limits or Limits()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if limits.address_bytes is not None:
            resource.setrlimit(resource.RLIMIT_AS, (limits.address_bytes, limits.address_bytes))

    # Files, not pipes: wait4() must see the end of this child and of no other.
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        child = subprocess.Popen(
            [program, *arguments],
            cwd=folder,
            env=None if environment is None else {**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            preexec_fn=limit,
        )
        _, wait_status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(wait_status)
        stdout.seek(0)
        stderr.seek(0)
        return Done(
            status=child.returncode,
            stdout=stdout.read().decode("utf-8", "replace"),
            stderr=stderr.read().decode("utf-8", "replace"),
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_bytes=usage.ru_maxrss * 1024,
        )
