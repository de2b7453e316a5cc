"""Files of ratings as people write them: the answers that are in them, or the line that settles it."""

import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from exchange.ratings.mapping import Mapping, parse_mapping
from exchange.ratings.reading import opened_ratings
from exchange.rejects import BadFile, RejectLog
from tests.exchange.ratings.answers import ANSWERS, ITEMS, VALUES, read, refusal, table, triples

LONG = [("item", "rater", "value"), *((item, rater, value) for (item, rater), value in VALUES.items())]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_delimiter_and_marked_encoding(delimiter: str, encoding: str) -> None:
    assert triples(table(LONG, delimiter).decode().encode(encoding)) == ANSWERS


def test_an_encoding_that_is_named_is_used() -> None:
    content = "item,rater,value\nZoë.png,Jürgen,3\n".encode("windows-1252")
    assert "not UTF-8" in refusal(content)
    assert triples(content, mapping=Mapping(encoding="windows-1252")) == {("Zoë.png", "Jürgen", "3")}


@pytest.mark.parametrize("pack", [gzip.compress, "zip"])
def test_a_packed_table_is_read_as_it_would_be_unpacked(pack: Any) -> None:
    if pack == "zip":
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("__MACOSX/._ratings.csv", b"junk")
            archive.writestr("ratings.csv", table(LONG))
        content = target.getvalue()
    else:
        content = pack(table(LONG))
    assert triples(content) == ANSWERS


def test_a_damaged_package_is_refused_by_name() -> None:
    assert "cannot be unpacked" in refusal(gzip.compress(table(LONG))[:-12])


@pytest.mark.parametrize("first", ["", "Unnamed: 0", "index"])
def test_an_index_of_the_rows_is_not_a_column(first: str) -> None:
    rows = [(first, *LONG[0]), *((n, *row) for n, row in enumerate(LONG[1:], start=3))]
    assert triples(table(rows)) == ANSWERS


def test_a_column_without_a_name_that_numbers_no_rows_is_refused() -> None:
    rows = [("", *LONG[0]), (0, *LONG[1]), ("x", *LONG[2])]
    assert 'column 1 has no name, and "x" is not a number of a row' in refusal(table(rows))


@pytest.mark.parametrize(
    "orientation", ["columns", "lists", "split", "records", "index", "wrapped", "lines", "indented"]
)
def test_json_in_every_orientation(orientation: str) -> None:
    names, *rows = LONG
    records = [dict(zip(names, row, strict=True)) for row in rows]
    shapes: dict[str, object] = {
        "columns": {name: {str(n): record[name] for n, record in enumerate(records)} for name in names},
        "lists": {name: [record[name] for record in records] for name in names},
        "split": {"columns": names, "index": list(range(len(rows))), "data": rows},
        "records": records,
        "index": {str(n): record for n, record in enumerate(records)},
        "wrapped": {"version": 2, "data": records},
    }
    if orientation == "lines":
        content = "\n".join(map(json.dumps, records))
    elif orientation == "indented":
        content = json.dumps(shapes["columns"], indent=2)
    else:
        content = json.dumps(shapes[orientation])
    assert triples(content.encode(), "f.json") == ANSWERS


def wide(names: Sequence[str]) -> list[tuple[object, ...]]:
    return [("image", *names), *((item, *(VALUES[item, rater] for rater in ("ann", "ben"))) for item in ITEMS)]


@pytest.mark.parametrize(
    "names",
    [
        ("rater1", "rater2"),
        ("Annotator A", "Annotator B"),
        ("r_01", "r_02"),
        ("a@x.org", "b@x.org"),
        ("score_1", "score_2"),
        ("Judge 1", "Judge 2"),
    ],
)
def test_a_column_for_each_rater(names: tuple[str, str]) -> None:
    called = dict(zip(("ann", "ben"), names, strict=True))
    assert triples(table(wide(names))) == {(item, called[rater], value) for item, rater, value in ANSWERS}


def test_columns_that_may_be_raters_or_questions_are_refused_with_the_line_that_settles_it() -> None:
    content = table(wide(("Ann", "Ben")))
    message = refusal(content)
    assert '--columns "raters=Ann,Ben"' in message
    assert '--columns "questions=Ann,Ben"' in message
    assert "rename" not in message
    mapping = Mapping().with_columns(["raters=Ann,Ben"])
    assert triples(content, mapping=mapping) == {(item, rater.title(), value) for item, rater, value in ANSWERS}


def test_a_column_for_each_question_and_other_columns() -> None:
    names = ("worker", "file_name", "seed", "overall quality", "prompt alignment", "comment")
    rows = [names, *((rater, item, 7, value, 6 - value, "fine, I think") for (item, rater), value in VALUES.items())]
    found, given, _ = read(table(rows))
    assert {(i, r, v) for i, r, q, v in found if q == "overall quality"} == ANSWERS
    assert {q for _, _, q, _ in found} == {"overall quality", "prompt alignment"}
    assert "column for each question" in given.format


def test_a_column_for_each_rater_and_question() -> None:
    names = ["r1_quality", "r1_style", "r2_quality", "r2_style"]
    rows = [("item", *names), *((item, *(VALUES[item, r] for r in ("ann", "ann", "ben", "ben"))) for item in ITEMS)]
    found = read(table(rows))[0]
    assert {(q, r) for _, r, q, _ in found} == {(q, r) for q in ("quality", "style") for r in ("r1", "r2")}
    assert {(i, {"r1": "ann", "r2": "ben"}[r], v) for i, r, q, v in found if q == "style"} == ANSWERS


def test_a_column_for_each_image() -> None:
    rows = [("participant", *ITEMS), *((r, *(VALUES[item, r] for item in ITEMS)) for r in ("ann", "ben"))]
    assert triples(table(rows)) == ANSWERS


def test_a_column_for_each_method_needs_a_word() -> None:
    rows = [
        ("prompt", "rater", "base", "ref"),
        *((p, r, VALUES[f"{p}_base.png", r], VALUES[f"{p}_ref.png", r]) for p in ("p1", "p2") for r in ("ann", "ben")),
    ]
    content = table(rows)
    assert '--columns "methods=base,ref"' in refusal(content)
    found = triples(content, mapping=Mapping().with_columns(["methods=base,ref"]))
    assert {(f"{item}.png", r, v) for item, r, v in found} == ANSWERS


def test_a_blank_cell_is_an_answer_that_is_missing() -> None:
    rows = wide(("rater1", "rater2"))
    rows[1] = ("p1_base.png", "", 3)
    found = read(table(rows))[0]
    assert ("p1_base.png", "rater1", "rating", "") in found
    assert len(found) == 8


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("prompt", "rater", "1st", "2nd"), ("p1", "ann", "sd", "flux")], "--rankings"),
        ([("item", "rater", "dimension", "value"), ("a", "ann", "ranking", 1)], "--rankings"),
        ([("item", "rater", "rank"), ("a", "ann", 1)], "--rankings"),
        ([("prompt", "model_a", "model_b", "winner"), ("p", "x", "y", "model_a")], "--votes"),
        ([("left_model", "right_model", "vote_type"), ("x", "y", "leftvote")], "--votes"),
        (
            [
                ("Submission id", "Participant id", "Status", "Started at", "Completed at"),
                ("s", "p", "APPROVED", "", ""),
            ],
            "Prolific",
        ),
        ([("item", "metric", "value"), ("a", "clip", 0.3)], "--metrics"),
    ],
)
def test_what_is_not_a_rating_is_refused_with_where_it_goes(rows: list[tuple[object, ...]], words: str) -> None:
    assert words in refusal(table(rows))


@pytest.mark.parametrize("name", ["ranking", "Rank overall"])
def test_ranks_whose_scale_is_declared_are_ratings(name: str) -> None:
    content = table([("item", "rater", "dimension", "value"), ("a", "ann", name, 1)])
    with opened_ratings([("f.csv", io.BytesIO(content))], log=RejectLog(), declared={name}) as given:
        assert [row.values["value"] for row in given.rows(RejectLog())] == ["1"]
    assert "--rankings" in refusal(content)


def test_a_mapping_file_says_everything_that_a_command_line_does() -> None:
    mapping = parse_mapping('{"item": "pic", "questions": ["A", "B"], "rater": "who", "labels": {"A": {"Bad": 1}}}')
    assert parse_mapping(json.dumps(mapping.to_json())) == mapping
    assert mapping.words_of("A") == {"bad": 1.0}
    content = table([("who", "pic", "A", "B"), ("ann", "x", "Bad", 2)])
    assert read(content, mapping=mapping)[0] == [("x", "ann", "A", "Bad"), ("x", "ann", "B", "2")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not one JSON object"),
        ('{"itm": "x"}', '"itm" is not understood'),
        ('{"raters": "x"}', "a list of column names"),
        ('{"raters": ["a"], "questions": ["b"]}', "cannot be used together for one table"),
        ('{"encoding": "klingon"}', "is not an encoding"),
        ('{"labels": {"Good": "5"}}', "the number of"),
    ],
)
def test_a_faulty_mapping_is_refused_by_field(text: str, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        parse_mapping(text)


def test_a_mapping_that_names_an_absent_column_is_refused() -> None:
    with pytest.raises(BadFile, match=r'names "nope".*it has "item", "rater", "value"'):
        read(table(LONG), mapping=Mapping().with_columns(["item=nope"]))


def test_answers_can_be_read_more_than_once(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_bytes(table(wide(("rater1", "rater2"))))
    with opened_ratings([(path.name, path)], log=RejectLog()) as given:
        assert len(list(given.rows(RejectLog()))) == len(list(given.rows(RejectLog()))) == 8
        assert given.shown()["rows"][0] == ["p1_base.png", "rater1", "rating", "2"]


# --- columns that show late, or go by a name that seldom holds answers -----------------------------------------------
def test_a_rater_whose_first_answer_comes_after_many_rows_is_read() -> None:
    rows: list[Sequence[Any]] = [("item", "rater1", "rater2", "rater3")]
    rows += [(f"i{n}", 1, 2, 3 if n >= 700 else "") for n in range(720)]
    found = triples(table(rows))
    assert {(item, value) for item, rater, value in found if rater == "rater3" and value} == {
        (f"i{n}", "3") for n in range(700, 720)
    }


def test_a_question_that_only_late_objects_have_is_read() -> None:
    lines: list[dict[str, Any]] = [{"item": f"i{n}", "rater": "a", "clarity": 1, "realism": 2} for n in range(600)]
    lines[-1]["colour"] = 3
    content = "\n".join(json.dumps(line) for line in lines).encode()
    log = RejectLog(keep=5)
    with opened_ratings([("answers.jsonl", io.BytesIO(content))], log=log) as file:
        told = {str(row.values["dimension"]) for row in file.rows(log)}
    assert told == {"clarity", "realism", "colour"}


@pytest.mark.parametrize("name", ["age", "position", "order", "total", "comment"])
def test_a_column_left_aside_for_its_name_is_named(name: str) -> None:
    rows = [("item", "rater", "quality", "realism", name), ("i1", "a", 1, 2, 3), ("i1", "b", 2, 2, 4)]
    log = RejectLog(keep=5)
    with opened_ratings([("answers.csv", io.BytesIO(table(rows)))], log=log) as file:
        list(file.rows(log))
    assert any(f'"{name}" is not read as answers' in line for line in (*log.warnings, *log.remarks))
