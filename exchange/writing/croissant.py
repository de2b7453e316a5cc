"""Croissant 1.1 (MLCommons): the parts of a data set's description, as JSON-LD."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")


class Field(NamedTuple):
    """A column: its name, its type ("Text", "Integer", "Float", "Boolean", "DateTime"), and what it means."""

    name: str
    type: str
    meaning: str


def file_object(id: str, *, address: str, media_type: str, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": id,
        "name": id,
        "contentUrl": address,
        "encodingFormat": media_type,
        "sha256": sha256,
    }


def file_set(id: str, *, pattern: str, media_type: str) -> dict[str, Any]:
    """Files next to the description that a pattern names."""
    return {"@type": "cr:FileSet", "@id": id, "name": id, "includes": pattern, "encodingFormat": media_type}


def file_records(name: str, *, description: str, files: str) -> dict[str, Any]:
    """A record for each picture of a file set: its name and its content."""

    def field(called: str, type: str, property: str) -> dict[str, Any]:
        source = {"fileSet": {"@id": files}, "extract": {"fileProperty": property}}
        identity = {"@type": "cr:Field", "@id": f"{name}/{called}", "name": called}
        return {**identity, "description": f"The file's {property}", "dataType": type, "source": source}

    fields = [field("file_name", "sc:Text", "filename"), field("image", "sc:ImageObject", "content")]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "description": description, "field": fields}


def record_set(name: str, *, description: str, file: str, fields: Iterable[Field]) -> dict[str, Any]:
    """The rows of one file; the source of every field is the file's column of the same name."""
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": description,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{field.name}",
                "name": field.name,
                "description": field.meaning,
                "dataType": f"sc:{field.type}",
                "source": {"fileObject": {"@id": file}, "extract": {"column": field.name}},
            }
            for field in fields
        ],
    }


def data_set(
    *, name: str, description: str, published: str, facts: Mapping[str, Any], distribution: Any, record_sets: Any
) -> dict[str, Any]:
    """The whole description. facts: further keys, such as those of the responsible-AI part; empty ones are left out."""
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": name,
        "description": description,
        "datePublished": published,
        "version": "1.0.0",
        **{key: value for key, value in facts.items() if value not in ("", None)},
        "distribution": distribution,
        "recordSet": record_sets,
    }


_SHORT = (
    *("arrayShape", "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject"),
    *("fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path"),
    *("recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField"),
    "transform",
)
CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    **{name: f"cr:{name}" for name in _SHORT},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
