"""Exports of labelling and survey programs: the answers that are in them."""

import io
import json
import zipfile
from typing import Any

import pytest

from exchange.ratings.reading import opened_ratings
from exchange.rejects import RejectLog
from tests.exchange.ratings.answers import ANSWERS, ITEMS, VALUES, read, table, triples


def annotation(n: int, rater: object, value: int, **more: object) -> dict[str, Any]:
    results = [
        {"value": {"rating": value}, "id": f"a{n}", "from_name": "quality", "to_name": "img", "type": "rating"},
        {"value": {"text": ["nice"]}, "id": f"t{n}", "from_name": "why", "to_name": "img", "type": "textarea"},
    ]
    return {"id": n, "completed_by": rater, "result": results, "was_cancelled": False, **more}


def tasks(address: str = "/data/upload/3/0a1b2c3d-{}") -> list[dict[str, Any]]:
    return [
        {
            "id": n,
            "data": {"text": "a fox", "img": address.format(item)},
            "predictions": [],
            "annotations": [
                annotation(n * 10 + i, {"id": i, "email": f"{rater}"}, VALUES[item, rater])
                for i, rater in enumerate(("ann", "ben"))
            ],
        }
        for n, item in enumerate(ITEMS)
    ]


@pytest.mark.parametrize(
    "address",
    [
        "/data/upload/3/0a1b2c3d-{}",
        "https://x.org/a/{}?sig=1",
        "s3://bucket/k/{}",
        "/data/local-files/?d=images/{}",
        "{}",
    ],
)
def test_label_studio_json(address: str) -> None:
    content = tasks(address)
    content[0]["annotations"][0]["was_cancelled"] = True
    content.append({"id": 9, "data": {"text": "b", "img": address.format("p9.png")}, "annotations": []})
    found, given, _ = read(json.dumps(content).encode(), "export.json")
    assert {(i, r, v) for i, r, _, v in found} == ANSWERS - {("p1_base.png", "ann", "2")}
    assert given.format == "Label Studio, JSON"
    assert given.tally.skipped == {
        "a text": 7,
        "an annotation that its annotator cancelled": 1,
        "a task without an annotation": 1,
    }


def test_files_of_one_name_in_two_folders_stay_two_items() -> None:
    content = tasks()[:2]
    content[0]["data"]["img"], content[1]["data"]["img"] = "/d/base/p1.png", "/d/ref/p1.png"
    assert {item for item, _, _ in triples(json.dumps(content).encode())} == {"base/p1.png", "ref/p1.png"}


@pytest.mark.parametrize("packed", ['[{"rating": %d}]', "%d", "[{'rating': %d}]"])
@pytest.mark.parametrize("is_sorted", [True, False])
def test_label_studio_csv_with_its_columns_in_any_order(packed: str, is_sorted: bool) -> None:
    names = [
        "img",
        "text",
        "id",
        "quality",
        "ok",
        "annotator",
        "annotation_id",
        "created_at",
        "updated_at",
        "lead_time",
    ]
    rows = [
        dict(
            zip(
                names,
                (
                    f"/data/upload/1/{item}",
                    "a fox",
                    ITEMS.index(item),
                    packed % value,
                    "Yes" if value > 2 else "No",
                    rater,
                    n,
                    "2025-01-09T10:00:00Z",
                    "2025-01-09T10:00:00Z",
                    3.5,
                ),
                strict=True,
            )
        )
        for n, ((item, rater), value) in enumerate(VALUES.items())
    ]
    order = sorted(names) if is_sorted else names
    found, given, _ = read(table([order, *([row[name] for name in order] for row in rows)]))
    assert given.format == "Label Studio, CSV"
    assert {(i, r, v) for i, r, q, v in found if q == "quality"} == ANSWERS
    assert {q for _, _, q, _ in found} == {"quality", "ok"}
    assert given.choices == {"ok"}


def test_potato_in_its_forms() -> None:
    lines = [
        json.dumps({"user_id": r, "instance_id": i, "label_annotations": {"quality": {f"scale_{v}": how}}})
        for (i, r), v in VALUES.items()
        for how in [str(v)]
    ]
    assert triples("\n".join(lines).encode(), "a.jsonl") == ANSWERS
    state = [
        {
            "user_id": rater,
            "instance_id_to_label_to_value": {
                item: [[{"schema": "quality", "name": f"scale_{VALUES[item, rater]}"}, str(VALUES[item, rater])]]
                for item in ITEMS
            },
        }
        for rater in ("ann", "ben")
    ]
    assert triples(json.dumps(state).encode(), "user_state.json") == ANSWERS
    labels = [f"quality:::scale_{n}" for n in range(1, 6)]
    rows = [
        ("user", "instance_id", *labels),
        *((r, i, *(n if n == v else "" for n in range(1, 6))) for (i, r), v in VALUES.items()),
    ]
    assert triples(table(rows, "\t"), "annotated_instances.tsv") == ANSWERS


@pytest.mark.parametrize("mark", ["1", "true", "x"])
def test_potato_where_the_same_sign_marks_every_chosen_label(mark: str) -> None:
    """A 1 in the column of 4 is a 4: read as its value, every answer would be 1."""
    rows = [
        ("user", "instance_id", *(f"quality:::{n}" for n in range(1, 6))),
        *((r, i, *(mark if n == v else "" for n in range(1, 6))) for (i, r), v in VALUES.items()),
    ]
    assert triples(table(rows), "annotated_instances.csv") == ANSWERS


def test_a_zip_with_a_table_for_each_rater_names_them_by_its_files() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for rater in ("ann", "ben"):
            rows = [("item", "value"), *((item, VALUES[item, rater]) for item in ITEMS)]
            archive.writestr(f"ratings/{rater}.csv", table(rows))
    assert triples(target.getvalue(), "raters.zip") == ANSWERS


def test_argilla_in_its_forms() -> None:
    def responses(item: str) -> list[tuple[str, int]]:
        return [(rater, VALUES[item, rater]) for rater in ("ann", "ben")]

    new = [
        {
            "id": i,
            "fields": {"image": f"https://x.org/{i}", "prompt": "p"},
            "status": "completed",
            "responses": {"quality": [{"value": v, "user_id": r} for r, v in responses(i)]},
        }
        for i in ITEMS
    ]
    old = [
        {
            "external_id": i,
            "fields": {"image": i},
            "responses": [
                {"user_id": r, "values": {"quality": {"value": v}}, "status": "submitted"} for r, v in responses(i)
            ]
            + [{"user_id": "zoe", "values": {"quality": {"value": 1}}, "status": "discarded"}],
        }
        for i in ITEMS
    ]
    flat = [
        {
            "id": i,
            "status": "completed",
            "image": i,
            "quality.responses": [v for _, v in responses(i)],
            "quality.responses.users": [r for r, _ in responses(i)],
            "quality.responses.status": ["submitted", "submitted"],
        }
        for i in ITEMS
    ]
    for content in (new, old, flat):
        found, given, _ = read(json.dumps(content).encode(), "records.json")
        assert {(i, r, v) for i, r, _, v in found} == ANSWERS
        assert "Argilla" in given.format
        assert {q for _, _, q, _ in found} == {"quality"}


def test_doccano_has_a_file_for_each_annotator() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for rater in ("ann", "ben"):
            lines = [
                json.dumps({"id": n, "filename": item, "label": [str(VALUES[item, rater])], "Comments": []})
                for n, item in enumerate(ITEMS)
            ]
            archive.writestr(f"{rater}.jsonl", "\n".join(lines))
    assert triples(target.getvalue(), "doccano.zip") == ANSWERS


def test_mturk_with_one_image_per_assignment() -> None:
    names = (
        "HITId",
        "AssignmentId",
        "WorkerId",
        "AssignmentStatus",
        "WorkTimeInSeconds",
        "Input.url",
        "Input.prompt",
        "Answer.quality",
        "Answer.comment",
        "Approve",
        "Reject",
    )
    rows = [
        (f"H{n}", f"A{n}", r, "Approved", 12, f"https://s3.org/b/{i}", "a fox", v, f"long text {n}", "", "")
        for n, ((i, r), v) in enumerate(VALUES.items())
    ]
    bad = ("H9", "A9", "bot", "Rejected", 1, "https://s3.org/b/p1_ref.png", "a fox", 1, "", "", "x")
    found, given, _ = read(table([names, *rows, bad]))
    assert {(i, r, v) for i, r, _, v in found} == ANSWERS
    assert given.tally.skipped == {"an assignment that was rejected": 1}


def test_mturk_with_crowd_elements_and_several_images() -> None:
    names = (
        "HITId",
        "AssignmentId",
        "WorkerId",
        "AssignmentStatus",
        "Input.image_1",
        "Input.image_2",
        "Answer.taskAnswers",
    )
    rows = []
    for n, rater in enumerate(("ann", "ben")):
        for first, second in ((0, 1), (2, 3)):
            chosen = {
                f"quality_{place}": {str(v): v == VALUES[ITEMS[item], rater] for v in range(1, 6)}
                for place, item in ((1, first), (2, second))
            }
            rows.append(
                (
                    n,
                    n,
                    rater,
                    "Submitted",
                    f"https://x.org/{ITEMS[first]}",
                    f"https://x.org/{ITEMS[second]}",
                    json.dumps([chosen]),
                )
            )
    found = read(table([names, *rows]))[0]
    assert {(i, r, v) for i, r, _, v in found} == ANSWERS
    assert {q for _, _, q, _ in found} == {"quality"}


@pytest.mark.parametrize("n_header", [1, 2])
def test_qualtrics_with_two_questions_about_each_image(n_header: int) -> None:
    meta = ["StartDate", "EndDate", "Status", "Progress", "Finished", "ResponseId", "workerId"]
    asked = [f"{q} - {item}" for item in ITEMS for q in ("How good is it?", "Does it match?")]
    names = [f"Q{n}_{m}" for n in range(1, 5) for m in (1, 2)]
    rows: list[list[object]] = [[*meta, *names, "age"], [*meta, *asked, "Your age?"]]
    if n_header == 2:
        rows.append([f'{{"ImportId":"QID{n}"}}' for n in range(len(rows[0]))])
    for n, rater in enumerate(("ann", "ben")):
        answers = [v for item in ITEMS for v in (VALUES[item, rater], 6 - VALUES[item, rater])]
        rows.append(
            ["2025-01-09 10:00:00", "2025-01-09 10:10:00", "IP Address", 100, True, f"R_{n}", rater, *answers, 33]
        )
    rows.append(["2025-01-09 10:00:00", "2025-01-09 10:10:00", "Survey Preview", 100, True, "R_9", "me", *[1] * 8, 1])
    found, given, _ = read(table(rows))
    assert {q for _, _, q, _ in found} == {"How good is it?", "Does it match?"}
    assert {(i, r, v) for i, r, q, v in found if q == "How good is it?"} == ANSWERS
    assert given.tally.skipped == {"a preview": 8}
    assert given.tally.n_rows == 3


def test_google_forms_with_a_grid() -> None:
    names = ["Timestamp", "Email Address", "Any remarks?", *(f"Rate the pictures [{item}]" for item in ITEMS)]
    rows = [["1/9/2025 10:00:00", rater, "none", *(VALUES[item, rater] for item in ITEMS)] for rater in ("ann", "ben")]
    found, given, _ = read(table([names, *rows]))
    assert {(i, r, v) for i, r, _, v in found} == ANSWERS
    assert given.format == "Google Forms"
    assert given.questions == {"rating": "Rate the pictures"}


def test_imagenhub_and_genai_bench_say_prompts_and_methods() -> None:
    matrix = table([("uid", "SDXL", "DALLE"), ("a.jpg", "[0.5, 1]", "[0, 0.5]"), ("b.jpg", "[1, 1]", "[0.5, 0]")], "\t")
    log = RejectLog()
    with opened_ratings([("ann.tsv", io.BytesIO(matrix))], log=log) as given:
        rows = [row.values for row in given.rows(log)]
    assert {(row["prompt"], row["method"], row["rater"]) for row in rows} == {
        (prompt, method, "ann") for prompt in ("a", "b") for method in ("SDXL", "DALLE")
    }
    assert [row["value"] for row in rows if row["dimension"] == "perceptual quality"] == ["1", "0.5", "1", "0"]
    bench = {"00000": {"id": "00000", "prompt": "a fox", "models": {"SDXL": [4, 5, 4], "DALLE_3": [5, 5, 3]}}}
    found = read(json.dumps(bench).encode(), "genai_image.json")[0]
    assert [value for *_, value in found] == ["4", "5", "4", "5", "5", "3"]
    assert {rater for _, rater, _, _ in found} == {"rater 1", "rater 2", "rater 3"}
