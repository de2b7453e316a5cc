"""The API does what its description says: schemathesis makes requests of the description and checks every answer.

Against the real server, with its own database and files. A quarter of a minute for each persona.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from generation.models import Run
from tests.factories import make_token
from tests.security.world import World, make_world

Judge = Callable[[Any], None]
"""Takes a schemathesis.Case. That library is slow to import, and every process collects this file."""


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


def ask_everything(site: str, n: int, judge: Judge) -> None:
    """Up to `n` requests for every address and method, valid and invalid ones, each handed to `judge`."""
    import schemathesis

    description = schemathesis.openapi.from_url(f"{site}/api/v1/schema/")
    operations = [found.ok() for found in description.get_all_operations()]
    assert len(operations) > 20
    for operation in operations:

        @settings(max_examples=n, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy())
        def ask(case: Any) -> None:
            judge(case)

        ask()


def test_a_researcher_gets_what_is_described(live_site: str, world: World) -> None:
    from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

    token = make_token(world.users["owner"])
    headers = {"Authorization": f"Token {token}"}
    there = {"token": world.study.token, "run_id": Run.objects.get().pk, "image_id": world.arguments["image_id"]}

    def judge(case: Any) -> None:
        # What a run or an import needs is more than a description can say: good data may be refused, with 400.
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])
        if case.path_parameters and set(case.path_parameters) & set(there):
            case.path_parameters |= {name: there[name] for name in case.path_parameters if name in there}
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance, negative_data_rejection])

    ask_everything(live_site, 8, judge)


def test_a_stranger_gets_what_is_described_and_no_more(live_site: str, world: World) -> None:
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    def judge(case: Any) -> None:
        answer = case.call_and_validate(excluded_checks=[positive_data_acceptance])
        assert answer.status_code in range(400, 416)

    ask_everything(live_site, 3, judge)
