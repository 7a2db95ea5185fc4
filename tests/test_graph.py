"""The graph that backends get: its networkx form, and the tree of scopes beside it."""

from __future__ import annotations

import networkx
import pytest

from graphc.compiler import compile
from graphc.graph import Node, Scope


@pytest.mark.parametrize("address", ["unet", "resnet50"])
def test_the_network_has_every_node_and_operand(address: str) -> None:
    graph = compile(address)
    network = graph.network
    assert networkx.is_directed_acyclic_graph(network)
    assert set(network) == {node.path for node in graph.nodes} | set(graph.inputs)
    for node in graph.nodes:
        assert network.nodes[node.path]["node"] is node
        found = sorted((data["slot"], path) for path, _, data in network.in_edges(node.path, data=True))
        assert found == [(slot, value.path) for slot, value in enumerate(node.operands)]


def test_nodes_come_after_what_they_read() -> None:
    graph = compile("unet")
    place = {value.node: -1 for value in graph.inputs.values()}
    place |= {node: number for number, node in enumerate(graph.nodes)}
    assert all(place[value.node] < place[node] for node in graph.nodes for value in node.operands)


def test_the_skips_of_unet_are_the_long_ways() -> None:
    """Figure 1 of the paper: each level of the contracting path is read once more, by the crop of the same level."""
    network = compile("unet").network
    for level in range(4):
        readers = set(network.successors(f"down.{level}.features.relu_2"))
        assert readers == {f"down.{level}.pool", f"up.{3 - level}.center_crop"}


def test_the_tree_of_scopes_is_that_of_the_paths() -> None:
    graph = compile("resnet50")
    for scope in graph.root.scopes():
        for item in scope.items:
            if isinstance(item, (Node, Scope)):
                assert item.path == ".".join(filter(None, (scope.path, item.name)))
    stages = next(scope for scope in graph.root.scopes() if scope.path == "stage")
    units = [
        next(item for item in stage.items if isinstance(item, Scope))
        for stage in stages.items
        if isinstance(stage, Scope)
    ]
    assert [len(unit.items) for unit in units] == [3, 4, 6, 3]
    assert {unit.label for group in units for unit in group.items if isinstance(unit, Scope)} == {"bottleneck"}
