"""A page to read the API's description, and to try each call as the person who is signed in."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from evalsite.api.schema import description

METHODS = ("get", "post", "patch", "put", "delete")
MOST_DEEP = 4


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Every call with its parameters, its body, its answers and a form that sends it."""
    document = description(get_language())
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                call = _call(document, path, method, operations[method])
                groups.setdefault(call["group"], []).append(call)
    return render(request, "api/docs.html", {"groups": groups, "title": document["info"]["description"]})


def _call(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    short, _sep, more = operation.get("description", "").partition("\n\n")
    return {
        "id": operation["operationId"],
        "group": path.removeprefix("/api/v1/").split("/")[0].replace("-", " "),
        "method": method.upper(),
        "path": path,
        "short": " ".join(short.split()),
        "more": " ".join(more.split()),
        "scope": operation.get("x-token-scope", ""),
        "parameters": [_parameter(one) for one in operation.get("parameters", [])],
        "body": _body(document, operation),
        "answers": [
            {"status": status, "about": answer.get("description", ""), "fields": _fields(document, _schema_of(answer))}
            for status, answer in operation["responses"].items()
        ],
    }


def _parameter(found: dict[str, Any]) -> dict[str, Any]:
    schema = found.get("schema", {})
    return {
        "name": found["name"],
        "place": found["in"],
        "is_needed": found.get("required", False),
        "kind": _kind(schema),
        "choices": schema.get("enum", []),
        "about": found.get("description", ""),
    }


def _body(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return None
    kind = "application/json" if "application/json" in content else next(iter(content))
    schema = _resolved(document, content[kind]["schema"])
    is_form = kind == "multipart/form-data"
    return {
        "kind": kind,
        "is_form": is_form,
        "fields": _fields(document, schema),
        "example": "" if is_form else json.dumps(_example(document, schema), ensure_ascii=False, indent=2),
    }


def _schema_of(answer: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = answer.get("content", {})
    return dict(content["application/json"]["schema"]) if "application/json" in content else {}


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema or ("allOf" in schema and len(schema["allOf"]) == 1):
        target = schema.get("$ref") or schema["allOf"][0].get("$ref", "")
        if not target:
            return dict(schema["allOf"][0])
        schema = document["components"]["schemas"][target.rpartition("/")[2]]
    return schema


def _fields(document: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The members of an object, or of the objects of a list."""
    schema = _resolved(document, schema)
    if schema.get("type") == "array":
        return _fields(document, schema["items"])
    needed = set(schema.get("required", []))
    return [
        {
            "name": name,
            "kind": _kind(_resolved(document, found), found),
            "is_needed": name in needed,
            "choices": [one for one in _resolved(document, found).get("enum", []) if one is not None][:12],
            "about": found.get("description", ""),
            "is_file": _is_file(found),
        }
        for name, found in schema.get("properties", {}).items()
    ]


def _is_file(schema: dict[str, Any]) -> bool:
    return "binary" in (schema.get("format"), schema.get("items", {}).get("format"))


def _kind(schema: dict[str, Any], given: dict[str, Any] | None = None) -> str:
    kind = schema.get("type", "")
    if isinstance(kind, list):
        kind = " or ".join(kind)
    if kind == "array":
        inner = schema.get("items", {})
        named = inner.get("$ref", "").rpartition("/")[2] or inner.get("type", "anything")
        return f"list of {named}"
    named = (given or {}).get("$ref", "").rpartition("/")[2]
    return named if named and not schema.get("enum") else schema.get("format") or kind or "anything"


def _example(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """An example body with the required fields."""
    schema = _resolved(document, schema)
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        needed = schema.get("required", []) or list(schema.get("properties", {}))[:1]
        found = schema.get("properties", {})
        return {
            name: _example(document, found[name], depth + 1) for name in needed if name in found and depth < MOST_DEEP
        }
    if kind == "array":
        return [_example(document, schema.get("items", {}), depth + 1)]
    return {"integer": 1, "number": 0.5, "boolean": True}.get(str(kind), "text")
