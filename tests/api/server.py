"""The App Mesh API as `meshproof api serve` gives it, and stock clients of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import ServiceModel

from live.processes import Address, Process, running

REGION = "us-west-2"
ACCOUNT = "123456789012"  # of all calls, where there are no accounts

_SESSION = botocore.session.get_session()


def service_model() -> ServiceModel:
    """botocore's own model of the service: what clients send and expect."""
    return ServiceModel(
        _SESSION.get_component("data_loader").load_service_model(
            "appmesh", "service-2", "2019-01-25"
        )
    )


@dataclass(frozen=True)
class Api:
    process: Process
    address: Address

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def client(
        self,
        key: str = "any",
        secret: str = "any",
        *,
        validate: bool = True,
        token: str | None = None,
        region: str = REGION,
    ) -> BaseClient:
        """A client that tries once. `validate`: whether it looks at its input itself."""
        return _SESSION.create_client(
            "appmesh",
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=validate),
        )


@contextmanager
def serve(program: Path, *options: str | Path, before: Sequence[str] = ()) -> Iterator[Api]:
    """Start the API at a free port; `before` goes before the command."""
    command = [*before, program, "api", "serve", "--port", "0", *options]
    with running(command) as process:
        port = int(process.wait_for(r"serves at http://[^:]+:(\d+)")[1])
        yield Api(process, Address(port))


def call(client: BaseClient, operation: str, **given: Any) -> Any:  # noqa: ANN401
    """Call an operation by its name in the model: the answer, or the error's code."""
    try:
        return client._make_api_call(operation, given)
    except ClientError as error:
        return error.response["Error"]["Code"]


LISTENER = {"portMapping": {"port": 9080, "protocol": "http"}}
GATEWAY = {"listeners": [LISTENER]}
GATEWAY_ROUTE = {
    "httpRoute": {
        "match": {"prefix": "/"},
        "action": {"target": {"virtualService": {"virtualServiceName": "books.local"}}},
    }
}
ROUTE = {
    "httpRoute": {
        "match": {"prefix": "/"},
        "action": {"weightedTargets": [{"virtualNode": "books", "weight": 10}]},
    }
}
SERVICE = {"provider": {"virtualRouter": {"virtualRouterName": "books"}}}

# One resource of each kind, in an order in which they can be made.
SHOP: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Mesh", {"meshName": "shop"}),
    ("VirtualNode", {"virtualNodeName": "books", "spec": {}}),
    ("VirtualRouter", {"virtualRouterName": "books", "spec": {}}),
    ("Route", {"virtualRouterName": "books", "routeName": "all", "spec": ROUTE}),
    ("VirtualService", {"virtualServiceName": "books.local", "spec": SERVICE}),
    ("VirtualGateway", {"virtualGatewayName": "edge", "spec": GATEWAY}),
    (
        "GatewayRoute",
        {"virtualGatewayName": "edge", "gatewayRouteName": "all", "spec": GATEWAY_ROUTE},
    ),
)


def inputs_of(operation: str) -> dict[str, Any]:
    """A good input of any operation, for the mesh `shop` with all its resources."""
    arn = f"arn:aws:appmesh:{REGION}:{ACCOUNT}:mesh/shop"
    fixed: dict[str, dict[str, Any]] = {
        "TagResource": {"resourceArn": arn, "tags": [{"key": "k", "value": "v"}]},
        "UntagResource": {"resourceArn": arn, "tagKeys": ["k"]},
        "ListTagsForResource": {"resourceArn": arn},
    }
    if operation in fixed:
        return fixed[operation]
    members = service_model().operation_model(operation).input_shape.members
    subject = re.sub("^(Create|Describe|Update|Delete|List)", "", operation)
    kind, made = next(each for each in SHOP if subject in (each[0], each[0] + "s", each[0] + "es"))
    given = {"meshName": "shop"} | made
    if operation.startswith("Create"):
        # Another resource than the one that is there.
        given[f"{kind[0].lower()}{kind[1:]}Name"] = "another"
    return {key: value for key, value in given.items() if key in members}


def make_shop(client: BaseClient) -> None:
    for kind, given in SHOP:
        client._make_api_call(f"Create{kind}", {"meshName": "shop"} | given)
