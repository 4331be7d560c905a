"""Every error that the model declares for an operation, brought about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.server import (
    ACCOUNT,
    REGION,
    SHOP,
    Api,
    call,
    inputs_of,
    make_shop,
    serve,
    service_model,
)

KINDS = [kind for kind, _ in SHOP]
OF_OWN_MESHES = {"CreateMesh", "UpdateMesh", "DeleteMesh", "ListMeshes"}

# What nothing brings about, and why.
UNREACHABLE = {
    # They ask for no mesh of another account (AM-API-05), and two of them for none at all.
    *((name, "ForbiddenException") for name in OF_OWN_MESHES),
    *((name, "NotFoundException") for name in ("CreateMesh", "ListMeshes")),
    # No source names a reason (AM-DEL-02, AM-DEL-07).
    ("DeleteGatewayRoute", "ResourceInUseException"),
    ("DeleteRoute", "ResourceInUseException"),
    # Of what an update changes, a quota counts only backends (AM-QUO-07).
    *((f"Update{kind}", "LimitExceededException") for kind in KINDS if kind != "VirtualNode"),
}


def declaring(error: str) -> list[str]:
    """The operations that declare an error which can be brought about."""
    model = service_model()
    return [
        name
        for name in model.operation_names
        if any(shape.name == error for shape in model.operation_model(name).error_shapes)
        and (name, error) not in UNREACHABLE
    ]


def members(name: str) -> dict[str, Any]:
    return service_model().operation_model(name).input_shape.members


@pytest.fixture
def shop(program: Path) -> Iterator[Api]:
    with serve(program) as api:
        make_shop(api.client())
        yield api


def test_bad_request(shop: Api) -> None:
    client = shop.client(validate=False)
    for name in declaring("BadRequestException"):
        bad = {
            "limit": 0,
            "tags": [{"key": "", "value": ""}],
            "tagKeys": [""],
            "meshName": "a b",
        }
        wrong = next(key for key in bad if key in members(name))
        given = inputs_of(name) | {wrong: bad[wrong]}
        assert call(client, name, **given) == "BadRequestException", name


def test_not_found(shop: Api) -> None:
    absent = f"arn:aws:appmesh:{REGION}:{ACCOUNT}:mesh/absent"
    for name in declaring("NotFoundException"):
        wrong = {"resourceArn": absent} if "resourceArn" in members(name) else {"meshName": "no"}
        assert call(shop.client(), name, **inputs_of(name) | wrong) == "NotFoundException", name


def test_conflict(shop: Api) -> None:
    client = shop.client()
    there = dict(SHOP)
    for name in declaring("ConflictException"):
        if name.startswith("Create"):
            given = inputs_of(name) | there[name.removeprefix("Create")]
        else:
            given = inputs_of(name) | {"clientToken": "once"}
            assert isinstance(call(client, name, **given), dict)
            given["spec"] = other_spec(name)
        assert call(client, name, **given) == "ConflictException", name


def other_spec(update: str) -> dict[str, Any]:
    """Another spec than that of the shop's resource."""
    given = inputs_of(update).get("spec", {})
    if update in ("UpdateRoute", "UpdateGatewayRoute"):
        return given | {"priority": 1}
    if update == "UpdateVirtualGateway":
        return given | {"logging": {}}
    others: dict[str, dict[str, Any]] = {
        "UpdateMesh": {"egressFilter": {"type": "DROP_ALL"}},
        "UpdateVirtualService": {},
    }
    return others.get(update, {"listeners": [{"portMapping": {"port": 1, "protocol": "http"}}]})


def test_resource_in_use(shop: Api) -> None:
    for name in declaring("ResourceInUseException"):
        assert call(shop.client(), name, **inputs_of(name)) == "ResourceInUseException", name


def test_too_many_tags(shop: Api) -> None:
    client = shop.client()
    tagged = inputs_of("TagResource")
    client.tag_resource(**tagged)
    many = [{"key": f"k{n}", "value": ""} for n in range(50)]
    assert declaring("TooManyTagsException") == ["TagResource"]
    assert call(client, "TagResource", **tagged | {"tags": many}) == "TooManyTagsException"
    assert call(client, "ListTagsForResource", resourceArn=tagged["resourceArn"])["tags"] == [
        {"key": "k", "value": "v"}
    ]


def test_limit_exceeded(shop: Api) -> None:
    client = shop.client()
    # Source: AM-QUO-01, -02, -04 to -06; the shop has one of each.
    quotas = {
        "Mesh": 15,
        "VirtualNode": 200,
        "VirtualRouter": 200,
        "Route": 50,
        "VirtualService": 200,
        "VirtualGateway": 3,
        "GatewayRoute": 10,
    }
    for name in declaring("LimitExceededException"):
        if name == "UpdateVirtualNode":
            backends = [{"virtualService": {"virtualServiceName": f"s{n}"}} for n in range(51)]
            given = inputs_of(name) | {"spec": {"backends": backends[:50]}}
            assert isinstance(call(client, name, **given), dict)
            given["spec"] = {"backends": backends}
        else:
            kind = name.removeprefix("Create")
            given = inputs_of(name)
            own_name = f"{kind[0].lower()}{kind[1:]}Name"
            for number in range(quotas[kind] - 1):
                assert isinstance(call(client, name, **given | {own_name: f"n{number}"}), dict)
        assert call(client, name, **given) == "LimitExceededException", name


ACCOUNTS = f"""\
accounts:
  - {{ id: "{ACCOUNT}", keys: [ {{ id: OWNER, secret: o }} ] }}
  - {{ id: "222222222222", keys: [ {{ id: STRANGER, secret: s }} ] }}
"""


def test_forbidden(program: Path, tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text(ACCOUNTS)
    with serve(program, "--accounts", accounts) as api:
        make_shop(api.client("OWNER", "o"))
        stranger = api.client("STRANGER", "s")
        for name in declaring("ForbiddenException"):
            owner = {"meshOwner": ACCOUNT} if "meshOwner" in members(name) else {}
            assert call(stranger, name, **inputs_of(name) | owner) == "ForbiddenException", name


def test_too_many_requests(program: Path) -> None:
    with serve(program, "--calls-per-second", "1") as api:
        client = api.client()
        codes = [
            call(client, name, **inputs_of(name)) for name in declaring("TooManyRequestsException")
        ]
    # A second may pass meanwhile; with it one call.
    refused = [code for code in codes if code == "TooManyRequestsException"]
    assert len(refused) >= len(codes) // 2


def test_service_unavailable(program: Path) -> None:
    with serve(program, "--connections", "1") as api:
        holder, other = api.client(), api.client()
        holder.list_meshes()  # and keeps its connection
        for name in declaring("ServiceUnavailableException"):
            code = call(other, name, **inputs_of(name))
            assert code == "ServiceUnavailableException", name


def test_internal_server_error_where_the_disk_is_full(program: Path, tmp_path: Path) -> None:
    """Only what changes something needs the disk; all else goes on."""
    store = tmp_path / "mesh.db"
    with serve(program, "--store", store) as api:
        make_shop(api.client())
    # The limit is on a file's size: that is where the log of changes ends.
    with serve(program, "--store", store, before=["prlimit", "--fsize=40000"]) as api:
        client = api.client()
        number = 0
        while call(client, "TagResource", **tag(number)) != "InternalServerErrorException":
            number += 1
        described = call(client, "DescribeMesh", meshName="shop")["mesh"]
        for name in declaring("InternalServerErrorException"):
            code = call(client, name, **inputs_of(name))
            changes = name.startswith(("Create", "Update", "Tag", "Untag"))
            assert (code == "InternalServerErrorException") == changes or name.startswith(
                "Delete"
            ), name
        assert call(client, "DeleteRoute", **inputs_of("DeleteRoute")) == (
            "InternalServerErrorException"
        )
    with serve(program, "--store", store) as api:
        client = api.client()
        assert call(client, "DescribeMesh", meshName="shop")["mesh"] == described
        tags = call(client, "ListTagsForResource", **inputs_of("ListTagsForResource"))["tags"]
        assert tags == ([{"key": "k", "value": str(number - 1)}] if number else [])


def tag(number: int) -> dict[str, Any]:
    return inputs_of("TagResource") | {"tags": [{"key": "k", "value": str(number)}]}
