"""Documents turn into JSON and back, those of before open still, and all of them keep to the published schema."""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.core.management import call_command

from annotations.reports.documents.conversion import BadDocument, Document, from_json, json_schema, to_json
from annotations.reports.documents.critic import CriticDocument
from annotations.reports.documents.preferences import PreferenceDocument
from annotations.reports.documents.study import StudyDocument
from annotations.reports.outputs import report_files
from tests.reports.study.documents import study_data, study_document
from tests.reports.study.test_supporting import made as of_seeds

ROOT = Path(__file__).resolve().parents[3]
KEPT = ROOT / "tests" / "data" / "reports"
OF_BEFORE: dict[str, type[Document]] = {
    "study-of-images": StudyDocument,
    "study-of-pairs": StudyDocument,
    "critics": CriticDocument,
    "votes": PreferenceDocument,
    "rankings": PreferenceDocument,
}


def kept(name: str) -> dict[str, Any]:
    """A document as an earlier version wrote it."""
    found: dict[str, Any] = json.loads(gzip.decompress((KEPT / f"{name}.json.gz").read_bytes()))
    return found


def changed(before: Any, after: Any, place: str = "") -> Iterator[str]:
    """The places where `after` lacks something that `before` has, or has another value there."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key, value in before.items():
            yield from changed(value, after.get(key, "nothing"), f"{place}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from changed(one, other, f"{place}[{at}]")
    elif before != after:
        yield place


@pytest.mark.parametrize("name", OF_BEFORE)
def test_a_document_of_before_opens_with_every_key_and_figure(name: str) -> None:
    before = kept(name)
    read = from_json(OF_BEFORE[name], before)
    assert list(changed(before, to_json(read))) == []
    assert from_json(OF_BEFORE[name], json.loads(json.dumps(to_json(read), allow_nan=False))) == read


@pytest.mark.parametrize("name", OF_BEFORE)
def test_a_document_of_before_is_drawn_in_full(name: str) -> None:
    files = dict(report_files(from_json(OF_BEFORE[name], kept(name)), is_quick=True))
    html = files["report.html"].decode()
    assert html.count("<svg") >= 4
    assert files["report.json"]
    assert any(content.count(b"\n") > 1 for file, content in files.items() if file.endswith(".csv"))


def test_a_new_document_comes_back_equal() -> None:
    data = study_data([("alignment", "ordinal"), ("choice", "nominal")], metrics=["clip"])
    made = study_document(data)
    again = json.loads(json.dumps(to_json(made), allow_nan=False))
    assert from_json(StudyDocument, again) == made


def test_a_report_of_another_format_is_refused_by_its_number() -> None:
    with pytest.raises(BadDocument, match="has format 2; this version reads format 1"):
        from_json(StudyDocument, kept("study-of-images") | {"format": 2})


def test_a_damaged_report_is_refused_with_the_place() -> None:
    found = kept("study-of-images")
    del found["dimensions"][0]["histogram"]
    found["n_items"] = "many"
    with pytest.raises(BadDocument, match=r"n_items: .*dimensions\.0\.histogram: Field required"):
        from_json(StudyDocument, found)


@pytest.mark.parametrize("name", OF_BEFORE)
def test_documents_keep_to_the_published_schema(name: str) -> None:
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    of_kind = {**schema, "anyOf": [{"$ref": f"#/$defs/{OF_BEFORE[name].__name__}"}]}
    check = jsonschema.Draft202012Validator(of_kind)
    before = kept(name)
    check.validate(before)
    check.validate(to_json(from_json(OF_BEFORE[name], before)))
    assert not check.is_valid(before | {"title": None})


def test_the_published_schema_is_that_of_the_code(tmp_path: Path) -> None:
    call_command("report_schema", out=tmp_path / "made.json")
    published = (ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8")
    assert (tmp_path / "made.json").read_text(encoding="utf-8") == published, "run make docs"
    assert json.loads(published) == json_schema()


def in_another_order(value: Any) -> Any:
    """The same JSON with its keys in the order in which PostgreSQL's jsonb keeps them: the shorter first."""
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: in_another_order(value[key]) for key in keys}
    return [in_another_order(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", [*OF_BEFORE, "with seeds"])
def test_the_order_of_stored_keys_changes_no_table_and_no_page(name: str) -> None:
    made = of_seeds() if name == "with seeds" else from_json(OF_BEFORE[name], kept(name))
    again = from_json(type(made), in_another_order(to_json(made)))
    files = dict(report_files(again, is_quick=True))
    for file, content in report_files(made, is_quick=True):
        if file != "report.json":
            assert files[file].decode() == content.decode(), file
