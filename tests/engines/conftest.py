"""Tests of engines import diffusers and its kin themselves, in any order."""

import pytest

from generation.engines.torchvision_schema import prepare


@pytest.fixture(scope="session", autouse=True)
def _importable_torchvision() -> None:
    prepare()
