"""Inputs that together hold every member with a constraint of the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api.server import ACCOUNT, inputs_of, service_model

MATCHES = [
    {"name": "n", "invert": True, "match": each}
    for each in (
        {"exact": "a"},
        {"prefix": "a"},
        {"suffix": "a"},
        {"regex": "a"},
        {"range": {"start": 1, "end": 2}},
    )
] + [{"name": "n"}]
QUERY = [{"name": "n", "match": {"exact": "a"}}]
SECOND = {"unit": "s", "value": 1}
TARGET = {"port": 80, "virtualService": {"virtualServiceName": "books.local"}}
TIMEOUT = {"perRequest": SECOND, "idle": SECOND}
RETRY = {
    "httpRetryEvents": ["server-error"],
    "tcpRetryEvents": ["connection-error"],
    "maxRetries": 1,
    "perRetryTimeout": SECOND,
}
GRPC_RETRY = RETRY | {"grpcRetryEvents": ["cancelled"]}
TARGETS = {"weightedTargets": [{"virtualNode": "books", "weight": 10, "port": 80}]}
NAMES = {"match": {"exact": ["books.local"]}}
FILE = {"certificateChain": "/c", "privateKey": "/k"}
SDS = {"secretName": "s"}
ACM = {"certificateArn": f"arn:aws:acm:us-west-2:{ACCOUNT}:certificate/c"}
AUTHORITIES = {"certificateAuthorityArns": ["arn:aws:acm-pca:us-west-2:1:certificate-authority/c"]}
PREFERENCE = {"ipPreference": "IPv4_ONLY"}


def health_check(protocol: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "protocol": protocol,
        "healthyThreshold": 2,
        "unhealthyThreshold": 2,
        "intervalMillis": 5000,
        "timeoutMillis": 2000,
    } | more


def listener(protocol: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"portMapping": {"port": 80, "protocol": protocol}} | more


POOLS = {
    "http": {"maxConnections": 1, "maxPendingRequests": 1},
    "http2": {"maxRequests": 1},
    "grpc": {"maxRequests": 1},
    "tcp": {"maxConnections": 1},
}


def listener_tls() -> Iterator[dict[str, Any]]:
    for certificate in ({"acm": ACM}, {"file": FILE}, {"sds": SDS}):
        for trust in ({"file": {"certificateChain": "/c"}}, {"sds": SDS}):
            validation = {"trust": trust, "subjectAlternativeNames": NAMES}
            yield {"mode": "STRICT", "certificate": certificate, "validation": validation}


def client_policy() -> Iterator[dict[str, Any]]:
    for certificate in ({"file": FILE}, {"sds": SDS}):
        for trust in ({"file": {"certificateChain": "/c"}}, {"sds": SDS}, {"acm": AUTHORITIES}):
            validation = {"trust": trust, "subjectAlternativeNames": NAMES}
            tls = {"certificate": certificate, "ports": [80], "validation": validation}
            yield {"clientPolicy": {"tls": tls | {"enforce": True}}}


def logging() -> Iterator[dict[str, Any]]:
    for form in ({"text": "t"}, {"json": [{"key": "k", "value": "v"}]}):
        yield {"accessLog": {"file": {"path": "/p", "format": form}}}


def listeners(protocols: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for protocol in protocols:
        yield listener(protocol)
        yield listener(protocol, connectionPool={protocol: POOLS[protocol]})
        yield listener(protocol, healthCheck=health_check(protocol, path="/"))
    # Whose port is bound to the listener's, at both of its edges.
    for port in (1, 65535):
        check = health_check("http2", port=port)
        yield {"portMapping": {"port": port, "protocol": "http2"}, "healthCheck": check}
    yield listener("http2", healthCheck=health_check("grpc"))
    for tls in listener_tls():
        yield listener("http", tls=tls)


def gateway_specs() -> Iterator[dict[str, Any]]:
    for each in listeners(("http", "http2", "grpc")):
        yield {"listeners": [each]}
    for each in client_policy():
        yield {"listeners": [listener("http")], "backendDefaults": each}
    for each in logging():
        yield {"listeners": [listener("http")], "logging": each}


def node_specs() -> Iterator[dict[str, Any]]:
    for each in listeners(("http", "http2", "grpc", "tcp")):
        yield {"listeners": [each]}
    for protocol in POOLS:
        timeout = {"idle": SECOND} if protocol == "tcp" else TIMEOUT
        yield {"listeners": [listener(protocol, timeout={protocol: timeout})]}
    outlier = {
        "maxServerErrors": 1,
        "interval": SECOND,
        "baseEjectionDuration": SECOND,
        "maxEjectionPercent": 1,
    }
    yield {"listeners": [listener("http", outlierDetection=outlier)]}
    for each in client_policy():
        yield {"backendDefaults": each}
        service = {"virtualServiceName": "s"} | each
        yield {"backends": [{"virtualService": service}]}
    for each in logging():
        yield {"logging": each}
    dns = {"hostname": "h", "responseType": "ENDPOINTS"} | PREFERENCE
    yield {"serviceDiscovery": {"dns": dns}}
    attributes = [{"key": "k", "value": "v"}]
    cloud_map = {"namespaceName": "n", "serviceName": "s", "attributes": attributes} | PREFERENCE
    yield {"serviceDiscovery": {"awsCloudMap": cloud_map}}


def gateway_route_specs() -> Iterator[dict[str, Any]]:
    host = {"hostname": {"defaultTargetHostname": "ENABLED"}}
    rewrites = [
        {"prefix": {"defaultPrefix": "ENABLED"}} | host,
        {"prefix": {"value": "/a/"}},
        {"path": {"exact": "/a"}},
    ]
    matches = [
        {"prefix": "/", "method": "GET", "port": 80, "queryParameters": QUERY},
        {"path": {"exact": "/a"}, "hostname": {"exact": "h"}},
        {"path": {"regex": "a"}, "hostname": {"suffix": ".h"}},
        *({"prefix": "/", "headers": [each]} for each in MATCHES),
    ]
    for kind in ("httpRoute", "http2Route"):
        for match in matches:
            yield {kind: {"match": match, "action": {"target": TARGET}}, "priority": 1}
        for rewrite in rewrites:
            action = {"target": TARGET, "rewrite": rewrite}
            yield {kind: {"match": {"prefix": "/"}, "action": action}}
    grpc = [
        {"serviceName": "s", "hostname": {"exact": "h"}, "port": 80},
        {"hostname": {"suffix": ".h"}},
        *({"serviceName": "s", "metadata": [each]} for each in MATCHES),
    ]
    for match in grpc:
        action = {"target": TARGET, "rewrite": host}
        yield {"grpcRoute": {"match": match, "action": action}}


def route_specs() -> Iterator[dict[str, Any]]:
    matches = [
        {"prefix": "/", "method": "GET", "port": 80, "scheme": "http", "queryParameters": QUERY},
        {"path": {"exact": "/a"}},
        {"path": {"regex": "a"}},
        *({"prefix": "/", "headers": [each]} for each in MATCHES),
    ]
    more = {"timeout": TIMEOUT, "retryPolicy": RETRY}
    for kind in ("httpRoute", "http2Route"):
        for match in matches:
            yield {kind: {"match": match, "action": TARGETS} | more, "priority": 1}
    grpc = [
        {"serviceName": "s", "methodName": "m", "port": 80},
        *({"serviceName": "s", "metadata": [each]} for each in MATCHES),
    ]
    for match in grpc:
        body = {"match": match, "action": TARGETS, "timeout": TIMEOUT, "retryPolicy": GRPC_RETRY}
        yield {"grpcRoute": body}
    tcp = {"match": {"port": 80}, "action": TARGETS, "timeout": {"idle": SECOND}}
    yield {"tcpRoute": tcp}


def router_specs() -> Iterator[dict[str, Any]]:
    yield {"listeners": [listener("http")]}


def service_specs() -> Iterator[dict[str, Any]]:
    yield {"provider": {"virtualNode": {"virtualNodeName": "books"}}}
    yield {"provider": {"virtualRouter": {"virtualRouterName": "books"}}}


def mesh_specs() -> Iterator[dict[str, Any]]:
    yield {"egressFilter": {"type": "DROP_ALL"}, "serviceDiscovery": PREFERENCE}


SPECS = {
    "Mesh": mesh_specs,
    "VirtualNode": node_specs,
    "VirtualRouter": router_specs,
    "Route": route_specs,
    "VirtualService": service_specs,
    "VirtualGateway": gateway_specs,
    "GatewayRoute": gateway_route_specs,
}


def samples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation but the deletes with an input; each create with many."""
    around = {
        "meshOwner": ACCOUNT,
        "limit": 1,
        "tags": [{"key": "k", "value": "v"}],
    }
    for operation in service_model().operation_names:
        if operation.startswith("Delete"):
            continue
        members = service_model().operation_model(operation).input_shape.members
        given = inputs_of(operation)
        given |= {key: value for key, value in around.items() if key in members}
        specs = SPECS[operation.removeprefix("Create")]() if operation.startswith("Create") else ()
        for spec in specs:
            yield operation, given | {"spec": spec}
        if not operation.startswith("Create"):
            yield operation, given
