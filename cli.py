"""The command line from a checkout, without installing graphc: `python cli.py build specs/unet.yaml`."""

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, DistributionFinder
from pathlib import Path

ROOT = Path(__file__).resolve().parent


class Checkout(Distribution):
    """What an installation would say of graphc, read from pyproject.toml: so its backends are found."""

    def read_text(self, filename: str) -> str | None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        if filename == "METADATA":
            return f"Name: {project['name']}\nVersion: {project['version']}\n"
        if filename == "entry_points.txt":
            return "\n".join(
                line
                for group, entries in project["entry-points"].items()
                for line in [f"[{group}]", *(f"{name} = {module}" for name, module in entries.items())]
            )
        return None

    def locate_file(self, path: object) -> Path:
        return ROOT / str(path)


class CheckoutFinder(DistributionFinder):
    def find_spec(self, *_: object) -> None:
        return None

    def find_distributions(self, context: DistributionFinder.Context | None = None) -> Iterator[Distribution]:
        if context is None or context.name in {None, "graphc"}:
            yield Checkout()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "backends"))
    sys.meta_path.insert(0, CheckoutFinder())

    from graphc.cli import main

    main()
