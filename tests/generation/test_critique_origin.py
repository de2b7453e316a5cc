"""Where a critique came from is a column, read once from the provenance of those that were stored before."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from generation.models import Critique
from generation.models.digests import digest
from generation.recipes.engine_spec import EngineSpec
from tests.factories import make_image

pytestmark = pytest.mark.django_db

STORED: dict[str, tuple[Any, str]] = {
    "of a run with a model": ({"engine": {"engine": "chat", "model": "x"}, "step": "d"}, "model"),
    "of a run with questions": ({"engine": {"engine": "questions", "answerer": {}}}, "questions"),
    "of a demo": ({"is_simulated": True, "truth": {}}, "simulated"),
    "of a file": ({"file": "critiques.csv", "row": 2}, "imported"),
    "of a file with a column “engine”": ({"engine": "gpt"}, "imported"),
    "of a file that says no": ({"is_simulated": "no"}, "imported"),
    "with nothing": ({}, "imported"),
    "with a list": (["engine"], "imported"),
}


def test_stored_critiques_get_the_origin_in_their_provenance() -> None:
    image = make_image()
    for name, (provenance, _) in STORED.items():
        Critique.objects.create(image=image, critic=name, provenance=provenance, digest=digest(name))

    import_module("generation.migrations.0011_critique_origin").read_origins(apps, connection.schema_editor())

    assert dict(Critique.objects.values_list("critic", "origin")) == {
        name: origin for name, (_, origin) in STORED.items()
    }


def test_recipes_are_distinguished_from_engines_by_a_property() -> None:
    asked = EngineSpec("blip-vqa", {"model": "tiny"})
    questions = EngineSpec("questions", {"answerer": asked.as_json()})
    assert (questions.is_recipe, questions.answerer) == (True, asked)
    assert (EngineSpec("rules").is_recipe, EngineSpec("rules").answerer) == (True, None)
    assert (asked.is_recipe, asked.answerer) == (False, None)
    assert EngineSpec("questions").answerer is None
    assert EngineSpec("questions", {"answerer": "blip-vqa"}).answerer is None
