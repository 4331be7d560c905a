"""What tests/live/mesh.yaml holds, as far as it is used there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("mesh.yaml")


@dataclass(frozen=True)
class Gateway:
    name: str


def gateways() -> list[Gateway]:
    return [
        Gateway(gateway["virtualGatewayName"])
        for gateway in yaml.safe_load(FILE.read_text())["virtualGateways"]
    ]
