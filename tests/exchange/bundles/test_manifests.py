"""Manifests: images come out in one shape, linked to what they were refined from, parents first."""

import io
import zipfile
from pathlib import Path

import pytest

from exchange.bundles.archives import open_bundle
from exchange.bundles.manifests import ImageRow, image_rows
from exchange.images import check_image
from exchange.rejects import BadFile, RejectLog


def rows_of(
    manifest: str, files: str = "a.png b.png c.png d.png", name: str = "manifest.csv"
) -> tuple[list[ImageRow], RejectLog]:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, manifest)
        for file in files.split():
            archive.writestr(file, b"pixels of " + file.encode())
    log = RejectLog()
    with open_bundle(stream, name="up.zip") as bundle:
        return list(image_rows(bundle, log)), log


def test_the_full_shape() -> None:
    rows, log = rows_of(
        "image,prompt,prompt_key,method,seed,round,parent,key,sampler,steps\n"
        "a.png,a red cube,p1,baseline,7,0,,k1,euler,28\n"
        "b.png,a red cube,p1,refined,7,,a.png,k2,,\n"
        "c.png,,p2,,,,b.png,,,\n"
        "d.png,a fox,,,,3,,,,\n"
    )
    assert not log
    assert rows[0] == ImageRow(
        2, "a.png", "a red cube", "p1", "baseline", 7, 0, "", "k1", {"sampler": "euler", "steps": "28"}
    )
    assert [(row.file, row.round, row.parent) for row in rows] == [
        ("a.png", 0, ""),
        ("b.png", 1, "a.png"),
        ("c.png", 2, "b.png"),
        ("d.png", 3, ""),
    ]
    assert rows[2].method == "imported"
    assert rows[3].seed is None


def test_parents_come_first_whatever_the_order() -> None:
    rows, log = rows_of("image,prompt,parent\nc.png,p,b.png\nb.png,p,a.png\na.png,p,\nd.png,p,\n")
    assert [row.file for row in rows] == ["a.png", "b.png", "c.png", "d.png"]
    assert [row.round for row in rows] == [0, 1, 2, 0]
    assert not log


def test_json_lines_and_other_names_for_columns() -> None:
    rows, log = rows_of(
        '{"file_name": "a.png", "text": "a fox", "model": "sd", "seed": 3, "params": {"cfg": 4.5}}\n',
        "a.png",
        "set/metadata.jsonl",
    )
    assert (rows[0].file, rows[0].prompt, rows[0].method, rows[0].seed) == ("a.png", "a fox", "sd", 3)
    assert rows[0].provenance == {"params": {"cfg": 4.5}}
    assert not log


def test_files_are_found_next_to_the_manifest() -> None:
    rows, _ = rows_of("image,prompt\nimg\\A.PNG,p\n", "set/img/a.png", "set/manifest.csv")
    assert rows[0].file == "set/img/a.png"


def test_pairs() -> None:
    rows, log = rows_of(
        "case,generator,prompt,baseline,refined,note\ncube,sd3,a cube,a.png,b.png,n\n,,a fox,c.png,d.png,\n",
        name="pairs.csv",
    )
    assert not log
    assert [(row.file, row.method, row.round, row.parent, row.key) for row in rows] == [
        ("a.png", "sd3 baseline", 0, "", "cube baseline"),
        ("b.png", "sd3 refined", 1, "a.png", "cube refined"),
        ("c.png", "baseline", 0, "", ""),
        ("d.png", "refined", 1, "c.png", ""),
    ]
    assert rows[0].provenance == {"case": "cube", "generator": "sd3", "note": "n"}
    assert {row.prompt for row in rows[2:]} == {"a fox"}


def test_bad_rows_are_reported_and_the_others_go_on() -> None:
    rows, log = rows_of(
        "image,prompt,parent,seed,round\n"
        "a.png,p,,,\n"
        "a.png,p,,,\n"  # 3: named twice
        "none.png,p,,,\n"  # 4: not there
        "../b.png,p,,,\n"  # 5: leads outside
        "b.png,,,,\n"  # 6: no prompt
        "c.png,p,b.png,,\n"  # 7: its parent has no good row
        "d.png,p,,-1,x\n"  # 8: seed and round
    )
    assert [row.file for row in rows] == ["a.png"]
    assert [(reject.row, reject.field) for reject in log.first] == [
        (3, "image"),
        (4, "image"),
        (5, "image"),
        (6, "prompt"),
        (8, "round"),
        (8, "seed"),
        (7, "parent"),
    ]


def test_circles() -> None:
    rows, log = rows_of("image,prompt,parent\na.png,p,b.png\nb.png,p,a.png\nc.png,p,c.png\nd.png,p,a.png\n")
    assert not rows
    assert log.total == 4
    assert "circle" in log.first[0].problem


def test_images_that_no_row_names_are_reported() -> None:
    rows, log = rows_of("image,prompt\na.png,p\nb.png,\n", "a.png b.png c.JPG notes.txt")
    assert len(rows) == 1
    assert [(reject.row, reject.value) for reject in log.first] == [(3, ""), (None, "c.JPG")]


@pytest.mark.parametrize(
    ("manifest", "name", "words"),
    [
        ("image,prompt\n", "manifest.csv", "no rows"),
        ("prompt,method\np,m\n", "manifest.csv", '"image" is missing'),
        ("imgae,prompt\na.png,p\n", "manifest.csv", 'rename "imgae" to "image"'),
        ("x", "readme.txt", "there is no manifest"),
    ],
)
def test_no_manifest_to_speak_of(manifest: str, name: str, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        rows_of(manifest, name=name)


def test_two_tables_of_which_none_stands_out() -> None:
    with pytest.raises(BadFile, match="no obvious manifest"):
        rows_of("image,prompt\na.png,p\n", "a.png other.csv", name="mine.csv")


def test_the_eight_real_pairs(sld_pairs: Path) -> None:
    log = RejectLog()
    with open_bundle(sld_pairs) as bundle:
        rows = list(image_rows(bundle, log))
        assert check_image(bundle.read(rows[0].file)).width == 128
    assert len(rows) == 16
    by_file = {row.file: row for row in rows}
    refined = [row for row in rows if row.parent]
    assert len(refined) == 8
    assert all(by_file[row.parent].prompt == row.prompt and by_file[row.parent].round == 0 for row in refined)
    assert {row.method for row in refined} == {"lmdplus refined", "dalle refined", "sdxl refined"}
    assert not log
