"""Documents → JSON and back, and the schema of both."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from annotations.reports.documents.critic import CriticDocument
from annotations.reports.documents.preferences import PreferenceDocument
from annotations.reports.documents.study import StudyDocument

Document = StudyDocument | PreferenceDocument | CriticDocument
Part = TypeVar("Part")
MOST_NAMED = 3


class BadDocument(ValueError):
    """JSON that is not a document of this version; the message says where and what is wrong."""


def to_json(part: object) -> dict[str, Any]:
    """A document, or a dataclass within one, as plain JSON types: None for what is undefined, lists for tuples."""
    kind: Any = type(part)
    made: dict[str, Any] = _adapter(kind).dump_python(part, mode="json")
    return made


def to_text(document: Document) -> str:
    """The content of report.json."""
    return json.dumps(to_json(document), ensure_ascii=False, allow_nan=False, indent=1)


def from_json(kind: type[Part], found: Mapping[str, Any]) -> Part:
    """What `to_json` made, of this version or an earlier one. Raises BadDocument.

    Fields that earlier versions did not write get their default; keys that this version does not know are ignored.
    """
    known = getattr(kind, "format", None)
    if known is not None and found.get("format") != known:
        raise BadDocument(f"The report has format {found.get('format')}; this version reads format {known}.")
    try:
        of: Any = kind
        read: Part = _adapter(of).validate_python(found)
    except ValidationError as problem:
        places = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problem.errors()[:MOST_NAMED]]
        more = f"; and {problem.error_count() - MOST_NAMED} more" if problem.error_count() > MOST_NAMED else ""
        raise BadDocument(f"The report cannot be read ({'; '.join(places)}{more}).") from None
    return read


class _Schema(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        """A field's title would only repeat its name."""
        return False


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of report.json, for any of the three documents."""
    made = schema_of(Document)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "report.json of evalsite", **made}


def schema_of(kind: Any, place: str = "#/$defs/{model}") -> dict[str, Any]:
    """The schema of one document or of a part, with its own parts under "$defs".

    place: where the definition of each part lies, for references to it
    """
    return _adapter(kind).json_schema(mode="serialization", schema_generator=_Schema, ref_template=place)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
