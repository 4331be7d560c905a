"""Our gateway and a real Envoy in front of the same nodes, for clients that nobody here wrote.

Each test runs against both, unless it says otherwise: what holds for one must hold for the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from live import calls, envoy, mesh, nodes
from live.processes import Address, running
from live.serving import Serving


@pytest.fixture(scope="session")
def methods() -> calls.Calls:
    """What the gRPC node does, and saw."""
    return calls.Calls()


@pytest.fixture(scope="session")
def all_nodes(
    tmp_path_factory: pytest.TempPathFactory, methods: calls.Calls
) -> Iterator[dict[str, Address]]:
    with nodes.serve(tmp_path_factory.mktemp("nodes"), methods) as served:
        yield served


@pytest.fixture(scope="session")
def real_envoy(
    program: Path, all_nodes: dict[str, Address], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serving]:
    gateways = mesh.gateways()
    folder = tmp_path_factory.mktemp("envoy")
    with envoy.start_gateways(program, folder, gateways, all_nodes) as served:
        names = [gateway.name for gateway in gateways]
        yield Serving(
            "envoy",
            {name: served.address(name) for name in names},
            dict.fromkeys(names, served.process),
        )


@pytest.fixture(scope="session")
def meshproof(
    program: Path, all_nodes: dict[str, Address], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("meshproof")
    services = [
        option
        for name, address in all_nodes.items()
        for option in ("--service", f"{name}={address}")
    ]
    with ExitStack() as stack:
        processes = {
            gateway.name: stack.enter_context(
                running(
                    [
                        *[program, "gateway", "--mesh", mesh.FILE, "--port", "0"],
                        *["--resource", f"mesh/live/virtualGateway/{gateway.name}"],
                        *["--log-file", folder / f"{gateway.name}.log", *services],
                    ]
                )
            )
            for gateway in mesh.gateways()
        }
        yield Serving(
            "meshproof",
            {
                name: Address(int(process.wait_for(r" at \S+:(\d+)$").group(1)))
                for name, process in processes.items()
            },
            processes,
        )


@pytest.fixture(scope="session", params=["meshproof", "envoy"])
def gateway(request: pytest.FixtureRequest) -> Serving:
    fixture = {"meshproof": "meshproof", "envoy": "real_envoy"}[request.param]
    return request.getfixturevalue(fixture)
