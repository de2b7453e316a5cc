"""A researcher's token on the real site."""

import pytest

from tests.factories import make_token, make_user


@pytest.fixture
def key(live_site: str) -> str:
    """The key of a token of a new researcher."""
    return make_token(make_user("ruth", researcher=True))
