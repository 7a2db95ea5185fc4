"""The program that lays out and draws: DOT text on stdin, the picture on stdout.

It runs by itself in a process of its own: Graphviz is C code that can take hours, or end the process.
"""

import sys

from pygraphviz import AGraph


def main(form: str, dpi: str) -> None:
    """Writes the picture in a form of Graphviz's: svg, png, pdf."""
    graph = AGraph(string=sys.stdin.buffer.read().decode())
    graph.graph_attr["dpi"] = dpi
    sys.stdout.buffer.write(graph.draw(format=form, prog="dot"))


if __name__ == "__main__":
    main(*sys.argv[1:])
