"""The program that lays out and draws: DOT text on stdin, the picture on stdout.

    python layout.py svg|png|pdf [attribute=value …]

It runs in a process of its own: Graphviz is C code that can take hours, and writes warnings wherever stderr goes.
"""

import sys

from pygraphviz import AGraph


def main(form: str, *attributes: str) -> None:
    """Draws in a form that Graphviz knows, with further attributes of the whole graph."""
    graph = AGraph(string=sys.stdin.buffer.read().decode())
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        graph.graph_attr[name] = value
    sys.stdout.buffer.write(graph.draw(format=form, prog="dot"))


if __name__ == "__main__":
    main(*sys.argv[1:])
