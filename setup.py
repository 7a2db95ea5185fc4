"""What pyproject.toml cannot say: packages lie in two folders, and specs/ is installed as graphc/specs."""

from setuptools import find_packages, setup

backends = find_packages("backends", include=["graphc_*"])

setup(
    packages=[*find_packages(include=["graphc", "graphc.*"]), "graphc.specs", *backends],
    package_dir={"graphc.specs": "specs"} | {name: "backends/" + name.replace(".", "/") for name in backends},
)
