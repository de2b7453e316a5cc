"""A study's report in the API, described by the same schema as report.json."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework import serializers

from annotations.reports.documents.conversion import schema_of
from annotations.reports.documents.study import StudyDocument

PREFIX = "Report."
"""Distinguishes the names of the report's parts from those of the rest of the API."""


class ReportField(serializers.JSONField):
    """A study's document, or null."""


class ReportFieldSchema(OpenApiSerializerFieldExtension):
    """Puts each part of the document among the API's components."""

    target_class = ReportField

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        document = schema_of(StudyDocument, f"#/components/schemas/{PREFIX}{{model}}")
        parts = document.pop("$defs") | {"StudyDocument": document}
        for name, part in parts.items():
            component = ResolvedComponent(f"{PREFIX}{name}", ResolvedComponent.SCHEMA, object=name, schema=part)
            auto_schema.registry.register_on_missing(component)
        return {
            "description": "All figures: what the site's report.json holds, which docs/report.schema.json describes.",
            "oneOf": [{"$ref": f"#/components/schemas/{PREFIX}StudyDocument"}, {"type": "null"}],
            "readOnly": True,
        }
