"""The App Mesh API, asked by the stock AWS CLI and by botocore with its validation on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.server import (
    ACCOUNT,
    GATEWAY,
    REGION,
    Api,
    call,
    inputs_of,
    make_shop,
    serve,
    service_model,
)

OPERATIONS = service_model().operation_names

# The seed's example of create-virtual-gateway, its names filled in.
CREATED = {
    "virtualGateway": {
        "meshName": "meshName",
        "metadata": {
            "arn": f"arn:aws:appmesh:{REGION}:{ACCOUNT}:mesh/meshName"
            "/virtualGateway/virtualGatewayName",
            "createdAt": "a time",
            "lastUpdatedAt": "a time",
            "meshOwner": ACCOUNT,
            "resourceOwner": ACCOUNT,
            "uid": "a uid",
            "version": 1,
        },
        "spec": {"listeners": [{"portMapping": {"port": 9080, "protocol": "http"}}]},
        "status": {"status": "ACTIVE"},
        "virtualGatewayName": "virtualGatewayName",
    }
}


@pytest.fixture
def api(program: Path) -> Iterator[Api]:
    with serve(program) as api:
        yield api


def aws(api: Api, *words: str) -> dict[str, Any]:
    """What `aws appmesh ...` prints, with times as the guide shows them."""
    environment = os.environ | {
        "AWS_ENDPOINT_URL_APP_MESH": api.url,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_CLI_TIMESTAMP_FORMAT": "iso8601",
    }
    done = subprocess.run(
        [sys.executable, "-m", "awscli", "appmesh", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def without_times_and_uid(answer: dict[str, Any]) -> dict[str, Any]:
    metadata = answer["virtualGateway"]["metadata"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["uid"])
    assert metadata["createdAt"] <= metadata["lastUpdatedAt"]
    changed = {"createdAt": "a time", "lastUpdatedAt": "a time", "uid": "a uid"}
    return {"virtualGateway": answer["virtualGateway"] | {"metadata": metadata | changed}}


def test_the_seeds_command_lines_give_its_example_output(api: Api, tmp_path: Path) -> None:
    aws(api, "create-mesh", "--mesh-name", "meshName")
    file = tmp_path / "create-virtual-gateway.json"
    file.write_text(json.dumps({"spec": GATEWAY}))
    names = ("--mesh-name", "meshName", "--virtual-gateway-name", "virtualGatewayName")
    made = aws(api, "create-virtual-gateway", *names, "--cli-input-json", f"file://{file}")
    assert without_times_and_uid(made) == CREATED
    gone = aws(api, "delete-virtual-gateway", *names)
    expected = json.loads(json.dumps(CREATED))
    expected["virtualGateway"]["metadata"]["version"] = 2
    expected["virtualGateway"]["status"]["status"] = "DELETED"
    assert without_times_and_uid(gone) == expected
    before, after = (each["virtualGateway"]["metadata"] for each in (made, gone))
    assert before["uid"] == after["uid"]
    assert before["lastUpdatedAt"] < after["lastUpdatedAt"]


def test_every_operation_answers_with_what_the_model_requires(api: Api) -> None:
    client = api.client()
    seen: set[str] = set()
    client.meta.events.register("after-call.app-mesh.*", lambda model, **_: seen.add(model.name))
    make_shop(client)
    rest = [name for name in OPERATIONS if not name.startswith(("Create", "Delete"))]
    deletes = [
        f"Delete{kind}"
        for kind in (
            "GatewayRoute",
            "VirtualGateway",
            "VirtualService",
            "Route",
            "VirtualRouter",
            "VirtualNode",
            "Mesh",
        )
    ]
    for name in rest + deletes:
        answer = call(client, name, **inputs_of(name))
        assert isinstance(answer, dict), (name, answer)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        required(service_model().operation_model(name).output_shape, answer, name)
    assert seen == set(OPERATIONS)


def required(shape: Any, value: Any, at: str) -> None:  # noqa: ANN401
    """Fail if anything that the output's shape requires is not there."""
    if shape.type_name == "structure":
        for name in shape.required_members:
            assert name in value, f"{at} lacks {name}"
        for name, member in shape.members.items():
            if name in value:
                required(member, value[name], f"{at}.{name}")
    elif shape.type_name == "list":
        for item in value:
            required(shape.member, item, f"{at}[]")


def test_lists_are_paged_by_botocores_paginators(program: Path) -> None:
    with serve(program, "--no-quotas") as api:
        client = api.client()
        client.create_mesh(meshName="shop")
        names = [f"node-{number:03}" for number in range(250)]
        for name in names:
            client.create_virtual_node(meshName="shop", virtualNodeName=name, spec={})
        for size in (None, 1, 99, 100):
            pages = client.get_paginator("list_virtual_nodes").paginate(
                meshName="shop", PaginationConfig={"PageSize": size}
            )
            listed = [node["virtualNodeName"] for page in pages for node in page["virtualNodes"]]
            assert listed == names
