import os
from types import ModuleType

import pytest
from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:  # a process a core: more threads would be in each other's way
    os.environ["OMP_NUM_THREADS"] = "1"
settings.load_profile("ci")


@pytest.fixture(scope="session")
def torchvision() -> ModuleType:
    import oracle

    return oracle.torchvision()
