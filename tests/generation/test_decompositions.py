"""Which decomposition of a prompt is in use."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from generation.models import Decomposition, Prompt
from generation.queries.decompositions import decomposition_of, decompositions_of
from tests.factories import make_prompt

pytestmark = pytest.mark.django_db


def graph(name: str) -> dict[str, Any]:
    return {"entities": [{"id": "e1", "text": name}], "relations": []}


def decompose(prompt: Prompt, name: str) -> Decomposition:
    return Decomposition.objects.create(prompt=prompt, graph=graph(name), digest=name)


def test_the_newest_row_then_what_the_import_brought_then_none() -> None:
    prompt = make_prompt(metadata={"decomposition": graph("imported")})
    assert decomposition_of(prompt) == graph("imported")
    decompose(prompt, "first")
    decompose(prompt, "second")
    assert decomposition_of(prompt) == graph("second")
    assert decomposition_of(make_prompt()) is None
    assert decomposition_of(make_prompt(metadata={"decomposition": "a fox; a hen"})) is None


def test_work_that_has_begun_keeps_the_one_it_began_with() -> None:
    prompt = make_prompt(metadata={"decomposition": graph("imported")})
    at_first = timezone.now()
    decompose(prompt, "first")
    later = timezone.now()
    decompose(prompt, "second")
    assert decomposition_of(prompt, made_before=at_first) == graph("imported")
    assert decomposition_of(prompt, made_before=later) == graph("first")


def test_many_prompts_take_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    prompts = [make_prompt(metadata={"decomposition": graph(f"given {i}")}) for i in range(3)]
    decompose(prompts[1], "made")
    with django_assert_num_queries(1):
        found = decompositions_of(prompts)
    assert found == {prompts[0].pk: graph("given 0"), prompts[1].pk: graph("made"), prompts[2].pk: graph("given 2")}
