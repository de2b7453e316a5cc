"""The importer reads every format that a study is written in: the same items, raters, questions and answers."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.core.management import call_command
from django.test import Client

from annotations.models import Response, Study
from annotations.questions import ACCEPTANCE, ALIGNMENT, PREFERENCE
from annotations.services.formats.registry import FORMATS
from exchange.ratings.mapping import Mapping, parse_mapping
from exchange.ratings.reading import opened_ratings
from exchange.rejects import RejectLog
from exchange.tables.values import text_of
from generation.models import Image
from tests.factories import make_answer, make_rater, make_study, make_token, make_user

pytestmark = pytest.mark.django_db
Answers = set[tuple[str, str, str, str]]


@pytest.fixture
def study() -> Study:
    """Four images, three raters with awkward names, two questions, one “unable to answer” and one gap."""
    study = make_study(n_items=4, presets=(ALIGNMENT, ACCEPTANCE), title="Faces, =hands")
    for at, item in enumerate(study.items.order_by("position")):
        Image.objects.filter(items=item).update(key=f"folder/p {at}.png")
    raters = [make_rater(study, name=name) for name in ("=cmd()", "Item", "żółw, the “third”")]
    for at, item in enumerate(study.items.order_by("position")):
        for place, rater in enumerate(raters):
            if (at, place) != (3, 2):
                make_answer(item, rater, level=None if (at, place) == (1, 1) else (at + place) % 2)
    return study


def written(study: Study, name: str) -> bytes:
    target = io.BytesIO()
    FORMATS[name].write(study, target)
    return target.getvalue()


def read_again(content: bytes, file: str, mapping: Mapping | None = None) -> Answers:
    log = RejectLog()
    with opened_ratings([(file, io.BytesIO(content))], mapping=mapping, log=log) as given:
        rows = [row.values for row in given.rows(log)]
    assert log.first == []
    parts = [tuple(text_of(row.get(part)) for part in ("item", "rater", "dimension", "value")) for row in rows]
    return {(item, rater, question, value) for item, rater, question, value in parts if value}


def stored(study: Study, *, words: bool = False) -> Answers:
    """What the database has; choices by their words where a format has words."""
    found = set()
    for one in Response.objects.select_related("dimension", "assignment__rater", "image"):
        assert one.image is not None
        value = "unable to answer" if one.level is None else f"{one.dimension.values[one.level]:f}"
        if words and one.dimension.kind == "nominal" and one.level is not None:
            value = one.dimension.labels[one.level]
        found.add((one.image.key, one.assignment.rater.name, one.dimension.name, value))
    assert len(found) == 22
    return found


@pytest.mark.parametrize("name", ["wide-by-rater", "wide-by-question"])
def test_a_wide_table_comes_back_by_its_mapping(study: Study, name: str) -> None:
    mapping = parse_mapping(written(study, f"{name}-mapping").decode())
    assert read_again(written(study, name), "wide.csv", mapping) == stored(study)


def test_a_rater_called_like_a_column_keeps_both_apart(study: Study) -> None:
    header = written(study, "wide-by-rater").decode().splitlines()[0]
    assert header == 'item_,prompt_id,method,dimension,\'=cmd(),Item,"żółw, the “third”"'


def test_label_studio_tasks_come_back(study: Study) -> None:
    content = written(study, "label-studio")
    assert read_again(content, "tasks.json", Mapping(names="as written")) == stored(study, words=True)
    tasks = json.loads(content)
    assert {"image", "prompt", "prompt_id", "method"} == set(tasks[0]["data"])
    first = tasks[0]["annotations"][0]
    assert (first["lead_time"], first["completed_by"]["email"]) == (8.0, "=cmd()")
    shown = ElementTree.fromstring(written(study, "label-studio-config"))  # noqa: S314 (our own file)
    named = {control.get("name") for control in shown}
    used = {result["from_name"] for task in tasks for one in task["annotations"] for result in one["result"]}
    assert used <= named


def test_web_annotations_come_back(study: Study) -> None:
    content = written(study, "web-annotations")
    assert read_again(content, "notes.json", Mapping(names="as written")) == stored(study)
    one = json.loads(content)[0]
    assert (one["@context"], one["type"], one["motivation"]) == (
        "http://www.w3.org/ns/anno.jsonld",
        "Annotation",
        "assessing",
    )


def test_the_ratings_of_the_workbook_come_back(study: Study) -> None:
    mapping = Mapping(sheet="Ratings", names="as written")
    assert read_again(written(study, "excel"), "ratings.xlsx", mapping) == stored(study)


def test_sides_of_a_pair_are_turned_back_to_its_own_images() -> None:
    study = make_study(item_kind="pair", n_items=1, presets=(PREFERENCE,))
    item = study.items.get()
    for name, order, level in (("a", "0,1", 0), ("b", "1,0", 1)):
        assignment = make_answer(item, make_rater(study, name=name), level=level)
        assignment.shown_order = order
        assignment.save()
    mapping = parse_mapping(written(study, "wide-by-question-mapping").decode())
    answers = read_again(written(study, "wide-by-question"), "wide.csv", mapping)
    values = {value for _item, _rater, _question, value in answers}
    assert values == {PREFERENCE.levels[0][0]}  # both preferred the first image, one of them on the right


@pytest.mark.parametrize("name", FORMATS)
def test_the_command_writes_every_format(study: Study, name: str, tmp_path: Path) -> None:
    call_command("export_study", study.token, "--as", name, "--out", str(tmp_path / "out"), stdout=io.StringIO())
    out = tmp_path / "out"
    assert (out / "README.md").is_file() if name == "dataset" else out.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} <= {"out", "media"}


def test_the_page_offers_every_format_to_researchers_alone(client: Client, study: Study) -> None:
    address = f"/study/{study.token}/export/"
    client.force_login(study.owner)
    page = client.get(address).content.decode()
    for name, one in FORMATS.items():
        assert f'href="{address}as/{name}/"' in page
        answer = client.get(f"{address}as/{name}/")
        assert answer.headers["Content-Type"] == one.media_type
        assert answer.headers["Content-Disposition"] == f'attachment; filename="faces-hands-{one.file}"'
    assert client.get(f"{address}as/nothing/").status_code == 404
    client.force_login(make_user())
    assert client.get(f"{address}as/excel/").status_code == 403


def test_the_api_gives_the_same_files(client: Client, study: Study) -> None:
    key = {"Authorization": f"Token {make_token(study.owner)}"}
    listed = client.get(f"/api/v1/studies/{study.token}/formats/", headers=key).json()
    assert [one["name"] for one in listed] == list(FORMATS)
    answer = client.get(next(one["file"] for one in listed if one["name"] == "wide-by-rater"), headers=key)
    assert b"".join(answer.streaming_content) == written(study, "wide-by-rater")  # type: ignore[attr-defined]  # streamed
    stranger = {"Authorization": f"Token {make_token(make_user())}"}
    assert client.get(f"/api/v1/studies/{study.token}/formats/excel/", headers=stranger).status_code == 404
