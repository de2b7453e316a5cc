"""Every answer's schema keeps the rules of OpenAI's strict mode, so that any compatible server can hold a model to it.

Rules: https://platform.openai.com/docs/guides/structured-outputs (supported schemas): objects take no further
properties, all properties are required, no defaults.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from generation.recipes.asking import StrictAnswer
from generation.recipes.critique.by_model import CritiqueSaid, PlainCritiqueSaid
from generation.recipes.critique.judge import Judged
from generation.recipes.decomposition.by_model import DecompositionSaid
from generation.recipes.enrich import Enriched

SCHEMAS = (DecompositionSaid, CritiqueSaid, PlainCritiqueSaid, Enriched, Judged)
SUPPORTED = {
    "$defs", "$ref", "additionalProperties", "description", "enum", "items", "properties", "required", "title", "type"
}  # fmt: skip


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema."""
    yield schema
    for name in ("properties", "$defs"):
        for part in schema.get(name, {}).values():
            yield from _parts(part)
    if "items" in schema:
        yield from _parts(schema["items"])


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_schema_keeps_to_strict_mode(schema: type[BaseModel]) -> None:
    parts = list(_parts(schema.model_json_schema()))
    objects = [part for part in parts if part.get("type") == "object"]
    assert objects
    for part in objects:
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])
    assert set().union(*parts) <= SUPPORTED


@pytest.mark.parametrize("schema", SCHEMAS)
def test_nothing_may_be_left_out_or_added(schema: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match="missing"):
        schema.model_validate_json("{}")
    with pytest.raises(ValidationError, match="extra_forbidden"):
        schema.model_validate_json('{"mood": "good"}')


def test_all_schemas_are_looked_at() -> None:
    used = {part for schema in SCHEMAS for part in (schema.__name__, *schema.model_json_schema().get("$defs", {}))}
    assert {answer.__name__ for answer in StrictAnswer.__subclasses__()} <= used
