"""What a picture says of an op or a block, in few words: `3×3, 64, stride 2`."""

from __future__ import annotations

from graphc.graph import Graph, Node, Paper, Scope
from graphc.words import arguments, attributes, unnumbered


def op_words(node: Node) -> str:
    """The op's name, where the step's own does not say it, and the attributes that differ from their defaults."""
    own = "" if unnumbered(node.name) == node.op.name else node.op.name
    return f"{own} {', '.join(attributes(node))}".strip()


def block_words(scope: Scope) -> str:
    """The block's name, where the step's own does not say it, and the numbers that the caller gave it."""
    own = "" if scope.kind != "block" or unnumbered(scope.name) == scope.label else scope.label
    return f"{own} {', '.join(arguments(scope))}".strip()


def title(graph: Graph) -> str:
    """The title, and the variant's name where the title does not say it."""
    said = "".join(filter(str.isalnum, graph.title.lower()))
    parts = (graph.title, "" if said == graph.name.lower() else graph.name)
    return " · ".join(filter(None, parts))


def reference(paper: Paper) -> str:
    """A paper as a list of references has it."""
    year = str(paper.year) if paper.year else ""
    arxiv = f"arXiv:{paper.arxiv}" if paper.arxiv else ""
    return ", ".join(filter(None, (paper.authors, paper.title, year, arxiv)))
