"""What the documents say is true."""

from __future__ import annotations

import re
from pathlib import Path

import graphc_graphviz
from graphc.compile import compile

TOP = Path(__file__).parents[1]


def blocks(document: str, language: str) -> list[str]:
    """The code blocks of a document, by language."""
    return re.findall(rf"```{language}\n(.*?)```", (TOP / document).read_text(encoding="utf-8"), re.DOTALL)


def test_the_spec_in_the_readme_is_the_one_drawn_beside_it(tmp_path: Path) -> None:
    (spec,) = blocks("README.md", "yaml")
    assert spec == (TOP / "examples" / "tiny.yaml").read_text(encoding="utf-8")
    graphc_graphviz.write(compile(str(TOP / "examples" / "tiny.yaml")), tmp_path / "tiny.svg")
    assert (tmp_path / "tiny.svg").read_bytes() == (TOP / "docs" / "pictures" / "tiny.svg").read_bytes()


def test_links_lead_somewhere() -> None:
    for document in ("README.md", "CONTRIBUTING.md", "docs/design.md"):
        text = (TOP / document).read_text(encoding="utf-8")
        for link in re.findall(r"\]\((?!http)([^)#]+)\)|src=\"([^\"]+)\"", text):
            assert ((TOP / document).parent / "".join(link)).exists(), (document, link)
