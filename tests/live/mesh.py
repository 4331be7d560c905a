"""What tests/live/mesh.yaml holds, as far as it is used there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from live.processes import Address

FILE = Path(__file__).with_name("mesh.yaml")


@dataclass(frozen=True)
class Node:
    """A virtual node and where it really is."""

    protocol: str  # http, http2, grpc
    address: Address


@dataclass(frozen=True)
class Route:
    """A prefix of the path leads to a service, and so to a node."""

    prefix: str
    rewritten: str
    service: str
    node: str


@dataclass(frozen=True)
class Gateway:
    name: str
    protocol: str  # of the listener: http, http2, grpc
    routes: tuple[Route, ...]  # longest prefix first


def gateways() -> list[Gateway]:
    mesh = yaml.safe_load(FILE.read_text())
    nodes = {
        service["virtualServiceName"]: service["spec"]["provider"]["virtualNode"]["virtualNodeName"]
        for service in mesh["virtualServices"]
    }

    def route(spec: dict) -> Route:
        [(kind, one)] = spec.items()
        service = one["action"]["target"]["virtualService"]["virtualServiceName"]
        if kind == "grpcRoute":
            prefix = rewritten = f"/{one['match']['serviceName']}/"
        else:
            prefix, rewritten = one["match"]["prefix"], "/"
        return Route(prefix, rewritten, service, nodes[service])

    return [
        Gateway(
            name,
            gateway["spec"]["listeners"][0]["portMapping"]["protocol"],
            tuple(
                sorted(
                    (
                        route(one["spec"])
                        for one in mesh["gatewayRoutes"]
                        if one["virtualGatewayName"] == name
                    ),
                    key=lambda one: -len(one.prefix),
                )
            ),
        )
        for gateway in mesh["virtualGateways"]
        if (name := gateway["virtualGatewayName"])
    ]


def protocols() -> dict[str, str]:
    """Of each virtual node."""
    return {
        node["virtualNodeName"]: node["spec"]["listeners"][0]["portMapping"]["protocol"]
        for node in yaml.safe_load(FILE.read_text())["virtualNodes"]
    }
