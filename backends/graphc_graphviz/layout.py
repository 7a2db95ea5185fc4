"""The program that lays out and draws: what is asked for as JSON on stdin, the picture on stdout.

    python layout.py svg|png|pdf [attribute=value …]

`texts` are DOT texts of one picture, `orders` lists of nodes that should stand in that order where they stand side by
side: Graphviz's own `ordering` is not always obeyed, so the first text with the fewest faults is drawn.

It runs in a process of its own: Graphviz is C code that can take hours, and writes warnings wherever stderr goes.
"""

import json
import sys
from itertools import combinations

from pygraphviz import AGraph


def main(form: str, *attributes: str) -> None:
    """Draws in a form that Graphviz knows, with further attributes of the whole graph."""
    asked = json.load(sys.stdin.buffer)
    graph = AGraph(string=_best(asked["texts"], asked["orders"]))
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        graph.graph_attr[name] = value
    sys.stdout.buffer.write(graph.draw(format=form, prog="dot"))


def _best(texts: list[str], orders: list[list[str]]) -> str:
    """The first text whose layout has the fewest faults."""
    fewest, best = sys.maxsize, texts[0]
    for text in texts if len(texts) > 1 and orders else ():
        faults = _faults(text, orders)
        if faults < fewest:
            fewest, best = faults, text
        if not faults:
            break
    return best


def _faults(text: str, orders: list[list[str]]) -> int:
    """How many pairs of nodes stand side by side in the wrong order."""
    graph = AGraph(string=text)
    graph.layout(prog="dot")
    right = graph.graph_attr["rankdir"] == "LR"
    faults = 0
    for names in orders:
        places = [tuple(map(float, graph.get_node(name).attr["pos"].split(","))) for name in names]
        turned = [(-y, x) for x, y in places] if right else places
        faults += sum(
            first[0] > second[0] and abs(first[1] - second[1]) < 1 for first, second in combinations(turned, 2)
        )
    return faults


if __name__ == "__main__":
    main(*sys.argv[1:])
