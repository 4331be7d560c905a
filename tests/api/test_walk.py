"""10,000 calls at random of three accounts, each answer as a plain model of ownership and deletion
says. The model knows nothing of the API's own tables: it is written from docs/api.md."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.server import GATEWAY, GATEWAY_ROUTE, ROUTE, call, serve

CALLS = 10_000
OWNER, CONSUMER, STRANGER = "111111111111", "222222222222", "333333333333"
NAMES = ("a", "b")

ACCOUNTS = f"""\
accounts:
  - {{ id: "{OWNER}", keys: [ {{ id: "{OWNER}", secret: s }} ] }}
  - {{ id: "{CONSUMER}", keys: [ {{ id: "{CONSUMER}", secret: s }} ] }}
  - {{ id: "{STRANGER}", keys: [ {{ id: "{STRANGER}", secret: s }} ] }}
shares:
  - {{ mesh: a, owner: "{OWNER}", consumer: "{CONSUMER}" }}
  - {{ mesh: b, owner: "{OWNER}", consumer: "{CONSUMER}", gateways: true }}
"""

PARENT = {"GatewayRoute": "VirtualGateway", "Route": "VirtualRouter"}
KINDS = (
    "Mesh",
    "VirtualNode",
    "VirtualRouter",
    "Route",
    "VirtualService",
    "VirtualGateway",
    "GatewayRoute",
)
VERBS = ("Create", "Create", "Create", "Update", "Delete", "Delete", "Describe", "List")

# Owner, mesh, kind, parent, name.
Key = tuple[str, str, str, str, str]


@dataclass
class Resource:
    owner: str
    version: int = 1
    uses: list[tuple[str, str]] = field(default_factory=list)  # kind and name


@dataclass(frozen=True)
class Ask:
    """One call."""

    account: str
    verb: str
    kind: str
    mesh_owner: str | None
    mesh: str
    parent: str
    name: str
    target: str

    @property
    def key(self) -> Key:
        return (
            self.mesh_owner or self.account,
            self.mesh,
            self.kind,
            self.parent,
            "" if self.kind == "Mesh" else self.name,
        )


class Plain:
    """Who owns what, and what may happen to it."""

    def __init__(self) -> None:
        self.resources: dict[Key, Resource] = {}

    def sees(self, account: str, owner: str) -> bool:
        return account == owner or (account, owner) == (CONSUMER, OWNER)

    def answer(self, ask: Ask) -> str | int:
        """The error, the resource's version, or how many a list has."""
        owner, mesh = ask.key[:2]
        new_mesh = (ask.verb, ask.kind) == ("Create", "Mesh")
        if (ask.verb, ask.kind) == ("List", "Mesh"):
            return sum(
                key[2] == "Mesh" and self.sees(ask.account, key[0]) for key in self.resources
            )
        if not self.sees(ask.account, owner):
            return "ForbiddenException"
        if not new_mesh and (owner, mesh, "Mesh", "", "") not in self.resources:
            return "NotFoundException"
        parent = None
        if ask.kind in PARENT:
            parent = self.resources.get((owner, mesh, PARENT[ask.kind], "", ask.parent))
            if parent is None:
                return "NotFoundException"
        if ask.verb == "List":
            return sum(key[:4] == ask.key[:4] for key in self.resources)
        if ask.verb == "Create":
            return self.create(ask, parent)
        if ask.key not in self.resources:
            return "NotFoundException"
        return getattr(self, ask.verb.lower())(ask, self.resources[ask.key])

    def create(self, ask: Ask, parent: Resource | None) -> str | int:
        owner, mesh = ask.key[:2]
        gateway_side = ask.kind in ("VirtualGateway", "GatewayRoute")
        if gateway_side and ask.account != owner and mesh != "b":
            return "ForbiddenException"
        if ask.kind == "GatewayRoute" and parent and parent.owner != ask.account:
            return "ForbiddenException"
        if ask.key in self.resources:
            return "ConflictException"
        uses = self.uses(ask)
        if not self.all_there(ask, uses):
            return "NotFoundException"
        self.resources[ask.key] = Resource(ask.account, uses=uses)
        return 1

    def uses(self, ask: Ask) -> list[tuple[str, str]]:
        used = {"Route": "VirtualNode", "GatewayRoute": "VirtualService"}
        if ask.kind == "VirtualService":
            return [("VirtualRouter" if ask.target == "b" else "VirtualNode", ask.target)]
        return [(used[ask.kind], ask.target)] if ask.kind in used else []

    def all_there(self, ask: Ask, uses: list[tuple[str, str]]) -> bool:
        return all((*ask.key[:2], kind, "", name) in self.resources for kind, name in uses)

    def describe(self, ask: Ask, there: Resource) -> str | int:
        return there.version

    def update(self, ask: Ask, there: Resource) -> str | int:
        if there.owner != ask.account:
            return "ForbiddenException"
        uses = self.uses(ask)
        if not self.all_there(ask, uses):
            return "NotFoundException"
        there.uses = uses
        there.version += 1
        return there.version

    def delete(self, ask: Ask, there: Resource) -> str | int:
        owner, mesh, kind, _, name = ask.key
        gateway_side = kind in ("VirtualGateway", "GatewayRoute")
        if there.owner != ask.account and (ask.account != owner or gateway_side):
            return "ForbiddenException"
        for key, other in self.resources.items():
            if key[:2] != (owner, mesh):
                continue
            inside = (
                key[2] != "Mesh"
                if kind == "Mesh"
                else (PARENT.get(key[2]) == kind and key[3] == name)
            )
            if inside or (kind, name) in other.uses:
                return "ResourceInUseException"
        del self.resources[ask.key]
        return there.version + 1


def spec(ask: Ask) -> dict[str, Any]:
    def fill(value: Any, old: str) -> Any:  # noqa: ANN401
        if isinstance(value, dict):
            return {key: fill(each, old) for key, each in value.items()}
        if isinstance(value, list):
            return [fill(each, old) for each in value]
        return ask.target if value == old else value

    if ask.kind == "VirtualService":
        kind = "virtualRouter" if ask.target == "b" else "virtualNode"
        return {"provider": {kind: {f"{kind}Name": ask.target}}}
    if ask.kind == "Route":
        return fill(ROUTE, "books")
    if ask.kind == "GatewayRoute":
        return fill(GATEWAY_ROUTE, "books.local")
    return GATEWAY if ask.kind == "VirtualGateway" else {}


def member(kind: str) -> str:
    return f"{kind[0].lower()}{kind[1:]}"


def real(clients: dict[str, Any], ask: Ask) -> str | int:
    """What the API answers, in the terms of the plain model."""
    plural = ask.kind + ("es" if ask.kind == "Mesh" else "s")
    given: dict[str, Any] = {}
    if (ask.verb, ask.kind) != ("List", "Mesh"):
        given["meshName"] = ask.mesh
    if ask.mesh_owner:
        given["meshOwner"] = ask.mesh_owner
    if ask.kind in PARENT:
        given[f"{member(PARENT[ask.kind])}Name"] = ask.parent
    if ask.kind != "Mesh" and ask.verb != "List":
        given[f"{member(ask.kind)}Name"] = ask.name
    if ask.verb in ("Create", "Update"):
        given["spec"] = spec(ask)
    operation = ask.verb + (plural if ask.verb == "List" else ask.kind)
    answer = call(clients[ask.account], operation, **given)
    if isinstance(answer, str):
        return answer
    if ask.verb == "List":
        return len(answer[member(plural)])
    shown = answer[member(ask.kind)]
    assert shown["status"]["status"] == ("DELETED" if ask.verb == "Delete" else "ACTIVE")
    return shown["metadata"]["version"]


def pick(dice: random.Random) -> Ask:
    verb, kind = dice.choice(VERBS), dice.choice(KINDS)
    account = dice.choice((OWNER, OWNER, CONSUMER, CONSUMER, STRANGER))
    own_only = kind == "Mesh" and verb != "Describe"
    mesh_owner = None if own_only else dice.choice((None, OWNER, OWNER, OWNER))
    name, parent, target = (dice.choice(NAMES) for _ in range(3))
    return Ask(
        account,
        verb,
        kind,
        mesh_owner,
        dice.choice(NAMES),
        parent if kind in PARENT else "",
        name,
        target,
    )


def test_ten_thousand_calls_at_random(program: Path, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text(ACCOUNTS)
    dice = random.Random(20260930)
    plain = Plain()
    came: dict[str, int] = {}
    with serve(program, "--accounts", accounts) as api:
        clients = {account: api.client(account, "s") for account in (OWNER, CONSUMER, STRANGER)}
        for number in range(CALLS):
            ask = pick(dice)
            answer = real(clients, ask)
            assert answer == plain.answer(ask), f"call {number}: {ask}"
            code = answer if isinstance(answer, str) else "OK"
            came[code] = came.get(code, 0) + 1
    # The walk went everywhere.
    assert set(came) == {
        "OK",
        "ForbiddenException",
        "NotFoundException",
        "ConflictException",
        "ResourceInUseException",
    }
    assert min(came.values()) > 100, came
