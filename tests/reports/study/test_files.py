"""Rating files at the door: what is understood, what is refused, and where it says so."""

from pathlib import Path

import numpy as np
import pytest

from annotations.reports.bad_data import BadData
from annotations.reports.study.data import StudyData
from annotations.reports.study.files.study import read_study
from annotations.reports.study.scales import Scales
from exchange.rejects import BadFile, RejectLog


def read(
    folder: Path,
    ratings: str,
    *,
    metrics: str | None = None,
    items: str | None = None,
    scale: tuple[str, ...] = ("1-5",),
    exclude: bool = False,
) -> tuple[StudyData, RejectLog]:
    paths: dict[str, Path | None] = {}
    for name, text in (("ratings", ratings), ("metrics", metrics), ("items", items)):
        paths[name] = None if text is None else folder / f"{name}.csv"
        if text is not None:
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    log = RejectLog()
    assert paths["ratings"]
    data = read_study(
        paths["ratings"],
        metrics=paths["metrics"],
        items=paths["items"],
        scales=Scales.parse(scale),
        on_bad_value="exclude" if exclude else "error",
        log=log,
    )
    return data, log


def matrix(data: StudyData, dimension: int = 0) -> list[list[float]]:
    return data.dimensions[dimension].ratings.matrix().tolist()


def test_long_rows_become_a_matrix(tmp_path: Path) -> None:
    data, log = read(tmp_path, "item,rater,dimension,value\nb,r1,d,4\na,r1,d,2.0\na,r2,d,3\n")

    assert list(data.units) == ["a", "b"]
    np.testing.assert_array_equal(matrix(data), [[2, 4], [3, np.nan]])
    assert not log


def test_without_a_dimension_column_there_is_one_dimension(tmp_path: Path) -> None:
    data, _ = read(tmp_path, "item\trater\tvalue\na\tx\t0.5\na\ty\t1\n", scale=("0,0.5,1",))

    assert [dimension.name for dimension in data.dimensions] == ["rating"]
    assert data.dimensions[0].ratings.level.tolist() == [1, 2]


def test_a_dimension_knows_only_its_own_raters_and_items(tmp_path: Path) -> None:
    rows = "a,r1,one,1\na,r2,one,2\nb,r3,two,3\n"
    data, _ = read(tmp_path, "item,rater,dimension,value\n" + rows)

    one, two = data.dimensions
    assert (one.ratings.n_units, list(one.raters)) == (1, ["r1", "r2"])
    assert (two.ratings.n_units, list(two.raters), two.units.tolist()) == (1, ["r3"], [1])


def test_unable_to_answer_is_counted_and_is_not_a_number(tmp_path: Path) -> None:
    data, _ = read(tmp_path, "item,rater,value\na,x,unable\na,y,4\nb,x,unable to answer\nb,y,5\n")

    assert data.dimensions[0].n_unable == 2
    assert len(data.dimensions[0].ratings) == 2


BAD = [
    ("a,x,41", "value", "41", "4 and 1 typed together"),
    ("a,x,0", "value", "0", "not on the scale"),
    ("a,x,-1", "value", "-1", "not on the scale"),
    ("a,x,3.5", "value", "3.5", "between two levels"),
    ("a,x,None", "value", "None", "not a number"),
    ("a,,3", "rater", "", "the cell is empty"),
    (",x,3", "item", "", "the cell is empty"),
]


@pytest.mark.parametrize(("row", "field", "value", "problem"), BAD)
def test_a_bad_row_stops_or_is_listed(tmp_path: Path, row: str, field: str, value: str, problem: str) -> None:
    text = f"item,rater,value\nb,x,2\n{row}\nb,y,3\n"

    with pytest.raises(BadData, match=r"ratings\.csv, row 3"):
        read(tmp_path, text)
    data, log = read(tmp_path, text, exclude=True)

    [reject] = log.first
    assert (reject.file, reject.row, reject.field, reject.value) == ("ratings.csv", 3, field, value)
    assert problem in reject.problem
    assert reject.cure
    assert len(data.dimensions[0].ratings) == 2


def test_a_second_answer_of_one_rater(tmp_path: Path) -> None:
    same = "item,rater,value\na,x,2\na,x,2\na,y,3\n"
    other = "item,rater,value\na,x,2\na,x,5\na,y,3\n"

    data, log = read(tmp_path, same)
    assert (len(data.dimensions[0].ratings), log.total) == (2, 0)
    with pytest.raises(BadData, match="gave a different answer about the same item in row 2"):
        read(tmp_path, other)
    data, log = read(tmp_path, other, exclude=True)
    assert matrix(data) == [[2.0], [3.0]]
    assert log.first[0].row == 3


def test_items_bring_prompts_methods_and_facets(tmp_path: Path) -> None:
    items = "item,prompt_id,model,source\na,p1,m1,web\nb,p1,m2,web\nc,p2,m1,book\nunrated,p2,m2,book\n"
    data, _ = read(tmp_path, "item,rater,value\na,x,1\nb,x,2\nc,x,3\n", items=items)

    assert data.prompt.tolist() == [0, 0, 1]
    assert [data.methods[code] for code in data.method] == ["m1", "m2", "m1"]
    assert data.facets["source"].tolist() == ["web", "web", "book"]
    assert data.has_prompts
    assert data.has_methods


def test_prompts_that_read_alike_are_distinguished_by_their_identifiers(tmp_path: Path) -> None:
    items = "item,prompt,prompt_id\na,A fox,1\nb,A fox,2\n"
    data, _ = read(tmp_path, "item,rater,value\na,x,1\nb,x,2\n", items=items)

    assert len(data.prompts) == 2


def test_an_item_that_the_items_file_lacks(tmp_path: Path) -> None:
    ratings, items = "item,rater,value\na,x,1\ntypo,x,2\n", "item,method\na,m\n"

    with pytest.raises(BadData, match=r'row 3, item "typo": items\.csv has no such item'):
        read(tmp_path, ratings, items=items)
    data, _ = read(tmp_path, ratings, items=items, exclude=True)
    assert list(data.units) == ["a"]


def test_items_keep_their_ratings_and_properties_where_others_between_them_are_left_out(tmp_path: Path) -> None:
    ratings = "item,rater,value\nd,x,4\ntypo,x,5\nb,x,2\n,x,3\na,x,1\nb,y,3\nc,,5\n"
    items = "item,method\nunrated,m9\nd,m4\na,m1\n,m7\nb,m2\nb,m2\nb,m8\nc,m3\nunrated,m8\n"
    data, log = read(tmp_path, ratings, items=items, exclude=True)

    assert list(data.units) == ["a", "b", "c", "d"]
    assert [data.methods[code] for code in data.method] == ["m1", "m2", "m3", "m4"]
    assert data.dimensions[0].units.tolist() == [0, 1, 3]
    np.testing.assert_array_equal(matrix(data), [[1, 2, 4], [np.nan, 3, np.nan]])
    assert [(reject.file, reject.row) for reject in log.first] == [
        ("ratings.csv", 5),
        ("ratings.csv", 8),
        ("items.csv", 5),
        ("items.csv", 8),
        ("items.csv", 10),
        ("ratings.csv", 3),
    ]


@pytest.mark.parametrize("exclude", [False, True])
@pytest.mark.parametrize(
    ("ratings", "items"),
    [
        ("item,rater,value\n,x,3\n", None),
        ("item,rater,value\n,x,3\n", "item,method\na,m\n"),
        ("item,rater,value\nb,x,3\n", "item,method\na,m\n"),
        ("item,rater,value\na,x,Agree\nb,x,Disagree\n", None),
        ("item,rater,value\na,x,\nb,x, \n", None),
    ],
)
def test_a_file_of_which_no_row_is_left_is_an_error(
    tmp_path: Path, ratings: str, items: str | None, exclude: bool
) -> None:
    with pytest.raises((BadData, BadFile), match=r"(?i)no row could be used") as caught:
        read(tmp_path, ratings, items=items, exclude=exclude)
    assert "exclude" not in str(caught.value)


def test_a_rating_without_a_value_is_missing(tmp_path: Path) -> None:
    data, log = read(tmp_path, "item,rater,value\na,x,2\na,y,\nb,x,3\nb,y,\u00a0\n")
    assert (len(data.dimensions[0].ratings), log.total) == (2, 0)
    assert "ratings.csv: 2 of 4 rows have no value and count as missing ratings; the first is row 3." in log.warnings


def test_a_column_says_that_a_rater_could_not_answer(tmp_path: Path) -> None:
    data, _ = read(tmp_path, "item,rater,value,is_unable\na,x,2,false\na,y,,true\nb,x,3,\nb,y,4,0\n")
    assert (len(data.dimensions[0].ratings), data.dimensions[0].n_unable) == (3, 1)
    with pytest.raises(BadData, match="neither yes nor no"):
        read(tmp_path, "item,rater,value,is_unable\na,x,2,perhaps\na,y,3,no\n")


def test_one_name_in_several_spellings_is_one_name(tmp_path: Path) -> None:
    ratings = (
        "item,rater,dimension,value\na,ann,d,1\n a,bob,d ,2\nb\u00a0,ann\u200b,d,3\nb,zoe\u0301,d,4\nc,zo\u00e9,d,5\n"
    )
    items = "item,prompt,method\na ,caf\u00e9,base\nb,cafe\u0301,ref \nc,tea,ref\n"
    metrics = "item,metric,value\n a,clip,1\nb,clip ,2\nc ,clip,3\n"
    data, log = read(tmp_path, ratings, items=items, metrics=metrics)

    assert (list(data.units), list(data.methods)) == (["a", "b", "c"], ["base", "ref"])
    assert list(data.prompts) == ["caf\u00e9", "tea"]
    assert [list(dimension.raters) for dimension in data.dimensions] == [["ann", "bob", "zo\u00e9"]]
    np.testing.assert_array_equal(data.scores, [[1, 2, 3]])
    assert (log.total, log.warnings) == (0, [])


def test_a_second_answer_behind_a_blank_is_one(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="gave a different answer about the same item in row 2"):
        read(tmp_path, "item,rater,value\na,ann,2\na,bob,2\na,ann ,5\n")


def test_names_that_are_nearly_the_same_are_named(tmp_path: Path) -> None:
    ratings = "item,rater,value\n0,cem,1\n0,bob,2\n0.0,Cem,1\n0.0,bob,2\n"
    items = "item,prompt,method\n0,a cat,SDXL\n0.0,A cat,sdxl\n"
    _, log = read(tmp_path, ratings, items=items)

    said = "\n".join(log.warnings)
    for names in ('"cem", "Cem"', '"0", "0.0"', '"a cat", "A cat"', '"SDXL", "sdxl"'):
        assert names in said


def test_an_item_that_is_there_twice_with_two_methods(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="'a' is in row 2 with 'm1'"):
        read(tmp_path, "item,rater,value\na,x,1\n", items="item,method\na,m1\na,m2\n")


def test_scores_are_next_to_the_items(tmp_path: Path) -> None:
    metrics = "item,metric,value\nb,clip,0.5\na,clip,1e-3\na,vqa,1\nnever rated,clip,7\n"
    data, _ = read(tmp_path, "item,rater,value\na,x,1\nb,x,2\n", metrics=metrics)

    assert list(data.metrics) == ["clip", "vqa"]
    np.testing.assert_array_equal(data.scores, [[0.001, 0.5], [1, np.nan]])


def test_scores_and_items_that_do_not_meet_are_counted_and_named(tmp_path: Path) -> None:
    ratings = "item,rater,value\nImg-1,x,1\nb,x,2\n"
    metrics = "item,metric,value\nimg 1,clip,0.5\nb,clip,1\nb,vqa,\n"
    data, log = read(tmp_path, ratings, metrics=metrics)

    np.testing.assert_array_equal(data.scores, [[np.nan, 1], [np.nan, np.nan]])
    assert log.warnings == [
        "metrics.csv: 1 of 3 rows have no value and count as missing scores; the first is row 4.",
        'metrics.csv: 1 of 3 scores are of items that nobody rated; the first: "img 1" in row 2.',
        (
            "metrics.csv, item: these names differ only in case, inner blanks, look-alike letters or the way a number "
            'is written, and count as different: "img 1", "Img-1" (with U+0049 LATIN CAPITAL LETTER I at the start, '
            "not U+0069 LATIN SMALL LETTER I)."
        ),
        "metrics.csv: 1 of 2 rated items have no clip.",
        "metrics.csv: 2 of 2 rated items have no vqa.",
    ]


def test_scores_of_which_none_is_of_a_rated_item(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match='2 of 2 scores are of items that nobody rated; the first: "c" in row 2'):
        read(tmp_path, "item,rater,value\na,x,1\n", metrics="item,metric,value\nc,clip,1\nd,clip,2\n", exclude=True)


def test_a_metric_of_two_versions_is_two_metrics(tmp_path: Path) -> None:
    metrics = "item,metric,version,value\na,clip,1,0.5\na,clip,2,0.25\na,vqa,,1\n"
    data, _ = read(tmp_path, "item,rater,value\na,x,1\n", metrics=metrics)

    assert list(data.metrics) == ["clip 1", "clip 2", "vqa"]
    np.testing.assert_array_equal(data.scores, [[0.5], [0.25], [1]])


def test_the_names_of_columns_are_those_of_imports(tmp_path: Path) -> None:
    ratings = "image,annotator,question,score,note\na,x,d,2,\na,y,d,3,\n"
    data, log = read(tmp_path, ratings, metrics="file,metric,score\na,clip,1\n", items="key,text,generator\na,p,m\n")

    assert [dimension.name for dimension in data.dimensions] == ["d"]
    assert (list(data.metrics), list(data.prompts), list(data.methods)) == (["clip"], ["p"], ["m"])
    assert log.warnings == ['ratings.csv: the column "note" is not used.']


def test_an_empty_identifier_is_filled_in_from_the_prompt(tmp_path: Path) -> None:
    ratings = "item,rater,value\n" + "".join(f"{item},x,1\n" for item in "abcdef")
    items = (
        "item,prompt_id,prompt,method\na,p1,A fox,m\nb,,A fox,n\nc,,A cat,m\nd,p2,A dog,m\ne,p3,A dog,n\nf,,A dog,\n"
    )
    data, log = read(tmp_path, ratings, items=items)

    assert [data.prompts[code] if code >= 0 else "" for code in data.prompt] == ["p1", "p1", "A cat", "p2", "p3", ""]
    assert data.method.tolist() == [0, 1, 0, 0, 1, -1]
    assert log.warnings == [
        "items.csv: 2 items have no prompt_id, and the prompt itself is used; the first is in row 3.",
        "items.csv: 1 item has no prompt and cannot be compared; the first is in row 7.",
        "items.csv: 1 item has no method and cannot be compared; the first is in row 7.",
    ]


def test_identifiers_that_are_all_empty_hide_no_prompts(tmp_path: Path) -> None:
    data, log = read(tmp_path, "item,rater,value\na,x,1\n", items="item,prompt_id,prompt\na,,A fox\n")
    assert (list(data.prompts), log.warnings) == (["A fox"], [])


def test_a_table_in_which_no_item_has_two_ratings_is_doubted(tmp_path: Path) -> None:
    _, log = read(tmp_path, "item,rater,value\na,x,1\nb,y,2\n")
    assert "no item has two ratings of rating" in log.warnings[0]


@pytest.mark.parametrize(
    ("row", "problem"),
    [("a,clip,high", "not a number"), ("a,clip,nan", ""), ("b,clip,2", "another")],
)
def test_a_bad_score_is_named(tmp_path: Path, row: str, problem: str) -> None:
    metrics = f"item,metric,value\nb,clip,1\n{row}\n"

    with pytest.raises(BadData, match=r"metrics\.csv, row 3, value") as caught:
        read(tmp_path, "item,rater,value\na,x,1\nb,x,2\n", metrics=metrics)

    assert problem in str(caught.value)


def test_a_file_without_the_columns_says_which(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="value"):
        read(tmp_path, "item,rater,remark\na,x,nice\n")


def test_an_empty_file_is_not_a_study(tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        read(tmp_path, "item,rater,value\n")


def test_the_hash_distinguishes_inputs_and_nothing_else(tmp_path: Path) -> None:
    first, _ = read(tmp_path, "item,rater,value\na,x,1\nb,x,2\n")
    shuffled, _ = read(tmp_path, "rater,item,value\nx,b,2\nx,a,1\n")
    other, _ = read(tmp_path, "item,rater,value\na,x,1\nb,x,3\n")

    assert first.inputs_hash() != other.inputs_hash()
    assert {**dict(zip(first.units, matrix(first)[0], strict=True))} == dict(
        zip(shuffled.units, matrix(shuffled)[0], strict=True)
    )
