#!/usr/bin/env python3
"""Requests per processor second of `meshproof gateway` beside a real Envoy, on real sockets.

Both serve one mesh as two hops: listener, self-redirect to 127.0.0.1:15001, listener, service. wrk
(HTTP/1.1), then h2load (HTTP/2) are the clients, `meshproof service` the service; only what the
gateway's own process uses is counted (utime and stime). Runs alternate, so that a busy machine is
busy for both. Then the memory of idle connections: how much resident memory grows with so many
that have sent nothing, and with as many that have sent one request.

    bench/live.py --envoy PATH [--rounds 5] [--seconds 5] [--connections 200] [--streams 20]
                  [--idle 5000]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
INNER_PORT = 15001
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
REQUEST = b"GET /chapter/1 HTTP/1.1\r\nhost: shop.example\r\n\r\n"

MESH = {
    "mesh": "shop",
    "virtualGateways": [
        {
            "virtualGatewayName": "edge",
            "spec": {
                "listeners": [{"portMapping": {"port": 9080, "protocol": "http"}}],
                "logging": {"accessLog": {"file": {"path": "/dev/null"}}},
            },
        }
    ],
    "gatewayRoutes": [
        {
            "gatewayRouteName": "chapters",
            "virtualGatewayName": "edge",
            "spec": {
                "httpRoute": {
                    "match": {"prefix": "/chapter"},
                    "action": {
                        "target": {"virtualService": {"virtualServiceName": "books.shop.local"}}
                    },
                }
            },
        }
    ],
    "virtualNodes": [
        {
            "virtualNodeName": "books",
            "spec": {
                "listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}],
                "serviceDiscovery": {"dns": {"hostname": "books.internal"}},
            },
        }
    ],
    "virtualServices": [
        {
            "virtualServiceName": "books.shop.local",
            "spec": {"provider": {"virtualNode": {"virtualNodeName": "books"}}},
        }
    ],
}


# --- the real Envoy's configuration -------------------------------------------------------------

TYPES = "type.googleapis.com/envoy.extensions"


def envoy_listener(name: str, address: str, port: int, virtual_host: dict[str, Any]) -> Any:  # noqa: ANN401
    manager = {
        "@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "access_log": [
            {
                "name": "envoy.access_loggers.file",
                "typed_config": {
                    "@type": f"{TYPES}.access_loggers.file.v3.FileAccessLog",
                    "path": "/dev/null",
                },
            }
        ],
        "route_config": {"name": name, "virtual_hosts": [virtual_host]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"},
            }
        ],
    }
    return {
        "name": name,
        "address": {"socket_address": {"address": address, "port_value": port}},
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": manager,
                    }
                ]
            }
        ],
    }


def envoy_cluster(name: str, port: int) -> Any:  # noqa: ANN401
    endpoint = {
        "endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}
    }
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {
            "thresholds": [
                {"max_connections": 100000, "max_pending_requests": 100000, "max_requests": 100000}
            ]
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }


def envoy_config(port: int, service_port: int) -> Any:  # noqa: ANN401
    def entry(prefix: str) -> Any:  # noqa: ANN401
        return {
            "match": {"prefix": prefix},
            "route": {
                "cluster": "self_redirect",
                "prefix_rewrite": "/",
                "host_rewrite_literal": "books.shop.local",
                "timeout": "15s",
            },
        }

    ingress = {
        "name": "self_redirect",
        "domains": ["*"],
        "routes": [entry("/chapter/"), entry("/chapter")],
    }
    egress = {
        "name": "books.shop.local",
        "domains": ["books.shop.local", f"books.shop.local:{INNER_PORT}"],
        "routes": [
            {
                "match": {"prefix": "/"},
                "route": {
                    "cluster": "books",
                    "timeout": "15s",
                    "retry_policy": {
                        "retry_on": "connect-failure,refused-stream",
                        "num_retries": 2,
                    },
                },
            }
        ],
    }
    return {
        "static_resources": {
            "listeners": [
                envoy_listener("ingress", "0.0.0.0", port, ingress),
                envoy_listener("egress", "127.0.0.1", INNER_PORT, egress),
            ],
            "clusters": [
                envoy_cluster("self_redirect", INNER_PORT),
                envoy_cluster("books", service_port),
            ],
        },
    }


# --- processes ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Served:
    name: str
    pid: int
    port: int

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def resident_bytes(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


@contextmanager
def process(command: list[str], log: Path) -> Iterator[subprocess.Popen[str]]:
    with log.open("w") as err:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=err, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def await_line(child: subprocess.Popen[str], log: Path, pattern: str) -> re.Match[str]:
    while True:
        found = re.search(pattern, log.read_text())
        if found:
            return found
        if child.poll() is not None:
            sys.exit(f"{child.args!r} ended:\n{log.read_text()}")
        time.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("0.0.0.0", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def meshproof(program: Path, folder: Path, *words: str) -> Iterator[Served]:
    log = folder / f"{words[0]}-{free_port()}.err"
    with process([str(program), *words, "--port", "0"], log) as child:
        found = await_line(child, log, r" at \S+:(\d+)\n")
        yield Served("meshproof", child.pid, int(found[1]))


@contextmanager
def our_gateway(program: Path, folder: Path, service: Served) -> Iterator[Served]:
    mesh = folder / "mesh.json"
    mesh.write_text(json.dumps(MESH))
    place = f"books=127.0.0.1:{service.port}"
    with meshproof(program, folder, "gateway", "--mesh", str(mesh), "--service", place) as gateway:
        yield gateway


@contextmanager
def envoy(program: str, folder: Path, service: Served) -> Iterator[Served]:
    port = free_port()
    config = folder / "envoy.json"
    config.write_text(json.dumps(envoy_config(port, service.port)))
    log = folder / "envoy.err"
    command = [program, "-c", str(config), "--concurrency", "1", "--use-dynamic-base-id"]
    with process(command, log) as child:
        await_line(child, log, "starting main dispatch loop")
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
        yield Served("envoy", child.pid, port)


# --- measuring ----------------------------------------------------------------------------------


def wrk(gateway: Served, connections: int, seconds: int) -> int:
    """How many requests were answered; every answer must be a 200."""
    url = f"http://127.0.0.1:{gateway.port}/chapter/1"
    done = subprocess.run(
        ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", url],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"(\d+) requests in", done.stdout)
    if not found or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        sys.exit(f"{gateway.name}: {done.stdout}")
    return int(found[1])


def h2load(gateway: Served, connections: int, streams: int, seconds: int) -> int:
    """The same with HTTP/2, so many streams on each of a tenth of the connections."""
    url = f"http://127.0.0.1:{gateway.port}/chapter/1"
    load = ["-c", str(connections // 10), "-m", str(streams), "-D", str(seconds)]
    done = subprocess.run(["h2load", *load, url], capture_output=True, text=True, check=True)
    found = re.search(r"(\d+) succeeded, 0 failed, 0 errored, 0 timeout", done.stdout)
    if not found or " 0 4xx, 0 5xx" not in done.stdout:
        sys.exit(f"{gateway.name}: {done.stdout}")
    return int(found[1])


def requests_per_cpu_second(gateway: Served, load: Callable[[Served], int]) -> float:
    before = gateway.cpu_seconds()
    requests = load(gateway)
    return requests / (gateway.cpu_seconds() - before)


def compare(
    what: str, gateways: Sequence[Served], rounds: int, load: Callable[[Served], int]
) -> None:
    """Loads both in turn and prints what each gave."""
    for gateway in gateways:
        load(gateway)  # warm
    print(f"requests per processor second, {what}")
    ratios = []
    for _ in range(rounds):
        figures = [requests_per_cpu_second(gateway, load) for gateway in gateways]
        ratios.append(figures[0] / figures[1])
        print(
            f"meshproof {figures[0]:9.0f}   envoy {figures[1]:9.0f}   ratio {ratios[-1]:.2f}",
            flush=True,
        )
    print(f"median ratio {statistics.median(ratios):.2f}")


def answer(client: socket.socket) -> None:
    client.sendall(REQUEST)
    received = b""
    while b"\r\n\r\n" not in received:
        piece = client.recv(65536)
        assert piece, "closed before an answer"
        received += piece
    assert received.startswith(b"HTTP/1.1 200 "), received


def idle_bytes(gateway: Served, count: int) -> tuple[float, float]:
    """Resident bytes for each connection that has sent nothing, and that has sent one request."""
    with ExitStack() as stack:

        def connect() -> socket.socket:
            address = ("127.0.0.1", gateway.port)
            return stack.enter_context(socket.create_connection(address))

        answer(connect())
        before = gateway.resident_bytes()
        clients = [connect() for _ in range(count)]
        answer(connect())  # accepted after all of them
        silent = gateway.resident_bytes()
        for client in clients:
            answer(client)
        used = gateway.resident_bytes()
    return (silent - before) / count, (used - before) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / "build/release/bin/meshproof")
    parser.add_argument("--envoy", default=shutil.which("envoy"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--idle", type=int, default=5000)
    options = parser.parse_args()
    if options.envoy is None or not all(map(shutil.which, ("wrk", "h2load"))):
        sys.exit("needs wrk, h2load, and an envoy on PATH or named with --envoy")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        service = stack.enter_context(
            meshproof(options.program, folder, "service", "--body", "x" * 64)
        )
        with ExitStack() as gateways:
            ours = gateways.enter_context(our_gateway(options.program, folder, service))
            theirs = gateways.enter_context(envoy(options.envoy, folder, service))
            both = (ours, theirs)
            compare(
                f"wrk, {options.connections} connections",
                both,
                options.rounds,
                lambda gateway: wrk(gateway, options.connections, options.seconds),
            )
            compare(
                f"h2load, {options.connections // 10} connections, {options.streams} streams each",
                both,
                options.rounds,
                lambda gateway: h2load(
                    gateway, options.connections, options.streams, options.seconds
                ),
            )
        # Of fresh processes, one after another.
        print(f"resident bytes for each of {options.idle} idle connections")
        for make, program in ((our_gateway, options.program), (envoy, options.envoy)):
            with make(program, folder, service) as gateway:
                silent, used = idle_bytes(gateway, options.idle)
                print(f"{gateway.name:9} silent {silent:7.0f}   after one request {used:7.0f}")


if __name__ == "__main__":
    main()
