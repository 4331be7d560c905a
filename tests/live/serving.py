"""The gateways of tests/live/mesh.yaml, as a test sees them."""

from __future__ import annotations

from dataclasses import dataclass

from live.processes import Address, Process


@dataclass(frozen=True)
class Serving:
    """The gateways of tests/live/mesh.yaml, as one program serves them."""

    target: str
    addresses: dict[str, Address]
    processes: dict[str, Process]

    def address(self, gateway: str) -> Address:
        return self.addresses[gateway]

    def url(self, gateway: str, path: str = "/") -> str:
        return f"http://{self.address(gateway)}{path}"

    def resident_bytes(self, gateway: str) -> int:
        return self.processes[gateway].resident_bytes()
