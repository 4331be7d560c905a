"""Every constraint of botocore's own model: its edge is accepted, one past it is refused.

Samples hold every constrained member at least once; each is changed in one place at a time. An edge
counts as accepted if some sample takes it: another rule may bind the same member elsewhere.
"""

from __future__ import annotations

import copy
import itertools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api.samples import samples
from api.server import call, make_shop, serve, service_model

# A place in an input: member names and list indices.
Place = tuple[str | int, ...]

# Edges that other rules leave no value for, and which.
NO_VALUE = {
    # A suffix begins at a label: "." alone is none (AM-VAL-31).
    ("GatewayRouteHostnameMatch.suffix", 1),
    # These events have names, of 12 to 13 characters (AM-RET-02).
    ("HttpRetryPolicyEvents[]", 1),
    ("HttpRetryPolicyEvents[]", 25),
}


def places(shape: Any, value: Any, name: str, at: Place = ()) -> Iterator[tuple[str, Any, Place]]:  # noqa: ANN401
    """Every value of an input: what the model calls it, its shape, its place."""
    yield name, shape, at
    if shape.type_name == "structure":
        for member, inner in shape.members.items():
            if member in value:
                yield from places(inner, value[member], f"{shape.name}.{member}", (*at, member))
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from places(shape.member, item, f"{shape.name}[]", (*at, index))


def constrained(shape: Any, name: str, seen: set[str]) -> Iterator[str]:  # noqa: ANN401
    """The names of all constrained values below a shape."""
    if any(key in shape.metadata for key in ("min", "max", "enum")) or (
        shape.type_name == "structure" and shape.required_members
    ):
        yield name
    if shape.name in seen:
        return
    if shape.type_name == "structure":
        for member, inner in shape.members.items():
            yield from constrained(inner, f"{shape.name}.{member}", seen | {shape.name})
    elif shape.type_name == "list":
        yield from constrained(shape.member, f"{shape.name}[]", seen | {shape.name})


def replaced(given: Any, at: Place, value: Any) -> Any:  # noqa: ANN401
    changed = copy.deepcopy(given)
    inner = changed
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = value
    return changed


def removed(given: Any, at: Place) -> Any:  # noqa: ANN401
    changed = copy.deepcopy(given)
    inner = changed
    for step in at[:-1]:
        inner = inner[step]
    del inner[at[-1]]
    return changed


def value_at(given: Any, at: Place) -> Any:  # noqa: ANN401
    for step in at:
        given = given[step]
    return given


def of_size(shape: Any, value: Any, size: int) -> list[Any]:  # noqa: ANN401
    """Values of that size or number, like the one that is there."""
    if shape.type_name == "string":
        padded = (value + "a" * size)[:size]
        return [padded, (padded[:-1] + "/") if padded else padded]
    if shape.type_name == "list":
        return [list(itertools.islice(itertools.cycle(value), size))]
    return [size]


def bounds(shape: Any) -> Iterator[tuple[int, int]]:  # noqa: ANN401
    """Each edge, and what is one past it."""
    least = shape.metadata.get("min")
    sized = shape.type_name in ("string", "list")
    if least is not None and not (sized and least == 0):
        yield least, least - 1
    if "max" in shape.metadata:
        yield shape.metadata["max"], shape.metadata["max"] + 1


class Walk:
    """Sends inputs, and keeps what came of each edge."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401
        self._client = client
        self._number = 0
        self.edges: dict[tuple[str, Any], bool] = defaultdict(bool)
        self.wrongly_accepted: list[tuple[str, str, Any]] = []

    def renamed(self, operation: str, given: dict[str, Any], at: Place = ()) -> dict[str, Any]:
        """The input with a name of its own, unless that is what was changed."""
        own = f"{operation[6:7].lower()}{operation[7:]}Name"
        if not operation.startswith("Create") or at == (own,):
            return given
        self._number += 1
        return given | {own: f"n{self._number}"}

    def accepts(self, operation: str, given: dict[str, Any], at: Place) -> bool:
        given = self.renamed(operation, given, at)
        return call(self._client, operation, **given) != "BadRequestException"

    def edge(self, operation: str, name: str, edge: Any, inputs: list[Any], at: Place) -> None:  # noqa: ANN401
        good = any(self.accepts(operation, given, at) for given in inputs)
        self.edges[name, edge] |= good

    def past(self, operation: str, name: str, given: Any, what: Any, at: Place) -> None:  # noqa: ANN401
        if self.accepts(operation, given, at):
            self.wrongly_accepted.append((operation, name, what))

    def change(self, operation: str, given: Any, name: str, shape: Any, at: Place) -> None:  # noqa: ANN401
        value = value_at(given, at)
        in_path = shape.serialization.get("location") == "uri"
        if at:
            for edge, past in bounds(shape):
                if in_path and past == 0:
                    continue  # botocore makes no request of it
                good = [replaced(given, at, each) for each in of_size(shape, value, edge)]
                self.edge(operation, name, edge, good, at)
                for each in of_size(shape, value, past):
                    self.past(operation, name, replaced(given, at, each), past, at)
        for choice in shape.metadata.get("enum", ()):
            self.edge(operation, name, choice, [replaced(given, at, choice)], at)
        if "enum" in shape.metadata:
            self.past(operation, name, replaced(given, at, "another"), "another", at)
        if shape.type_name == "structure":
            for member in shape.required_members:
                if not shape.members[member].serialization.get("location"):
                    self.past(operation, name, removed(given, (*at, member)), member, (*at, member))
            if shape.is_tagged_union and at:
                self.past(operation, name, replaced(given, at, {}), "{}", at)


def test_every_constraint_of_the_model(program: Path) -> None:
    model = service_model()
    visited: set[str] = set()
    with serve(program, "--no-quotas", "--era", "last") as api:
        client = api.client(validate=False)
        make_shop(client)
        walk = Walk(client)
        for operation, given in samples():
            answer = call(client, operation, **walk.renamed(operation, given))
            assert not isinstance(answer, str), (operation, given, answer)
            shape = model.operation_model(operation).input_shape
            for name, inner, at in places(shape, given, shape.name):
                visited.add(name)
                walk.change(operation, given, name, inner, at)
    assert sorted(set(walk.wrongly_accepted), key=str) == []
    refused = {edge for edge, good in walk.edges.items() if not good}
    assert refused == NO_VALUE
    everything = {
        name
        for operation, _ in samples()
        for shape in [model.operation_model(operation).input_shape]
        for name in constrained(shape, shape.name, set())
    }
    assert everything - visited == set()
