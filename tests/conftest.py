from types import ModuleType

import pytest
from hypothesis import settings

settings.load_profile("ci")


@pytest.fixture(scope="session")
def torchvision() -> ModuleType:
    import oracle

    return oracle.torchvision()
