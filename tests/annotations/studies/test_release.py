"""A release holds the raw rows without names, its figures come out of them again, and a changed answer is found out."""

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotations.models import Study
from annotations.services.release import write_release
from tests.annotations.views.test_results import rated_study
from tests.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    study = rated_study(n_items=8)
    for rater, name in zip(study.raters.order_by("pk"), ("Wilhelmina Secret", "bob@example.org", "Åsa"), strict=True):
        rater.name = name
        rater.save()
    study.assignments.update(flag="I know this painter personally")
    excluded = study.raters.get(name="Åsa")
    excluded.excluded_at, excluded.excluded_reason = study.created_at, "failed checks"
    excluded.save()
    return study


@pytest.fixture
def bundle(study: Study, tmp_path: Path) -> Path:
    target = tmp_path / "bundle"
    with (tmp_path / "bundle.zip").open("w+b") as file:
        write_release(study=study, target=file)
        zipfile.ZipFile(file).extractall(target)
    return target


def verified(bundle: Path) -> str:
    told = io.StringIO()
    call_command("verify", str(bundle), stdout=told)
    return told.getvalue()


def test_a_release_is_equal_as_zip_and_as_folder(study: Study, tmp_path: Path) -> None:
    target = tmp_path / "out" / "study.zip"
    call_command("release", study.token, out=target, stdout=io.StringIO())
    assert verified(target).startswith("equal: all ")
    zipfile.ZipFile(target).extractall(tmp_path / "folder")
    assert verified(tmp_path / "folder").startswith("equal: all ")


def test_no_name_comment_or_address_of_a_rater_leaves(study: Study, bundle: Path) -> None:
    secrets = ["Wilhelmina", "bob@", "Åsa", "painter", study.owner.username]
    for path in bundle.rglob("*"):
        if path.suffix in {".csv", ".json", ".md", ".tex", ".html", ".svg", ".bib", ".sha256"}:
            text = path.read_text(encoding="utf-8")
            assert not [secret for secret in secrets if secret in text], path
    rows = list(csv.DictReader((bundle / "data/ratings.csv").open(encoding="utf-8")))
    assert {row["rater"] for row in rows} == {"rater-1", "rater-2"}
    (excluded,) = csv.DictReader((bundle / "data/excluded-raters.csv").open(encoding="utf-8"))
    assert excluded == {"rater": "excluded-1", "reason": "failed checks", "n_answers": "8"}


def test_one_changed_answer_is_found_and_its_figures_are_named(bundle: Path) -> None:
    path = bundle / "data/ratings.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    cells = lines[1].split(",")
    cells[4] = "1" if cells[4] != "1" else "5"
    path.write_text("".join([lines[0], ",".join(cells), *lines[2:]]), encoding="utf-8", newline="")
    told = io.StringIO()

    with pytest.raises(CommandError, match="not equal"):
        call_command("verify", str(bundle), stdout=told)

    said = told.getvalue()
    assert "changed file: data/ratings.csv" in said
    assert "differs: agreement: alignment, krippendorff_alpha_ordinal: value " in said
    assert "differs: means: alignment, " in said
    assert "→" in said


def test_a_changed_report_is_found_too(bundle: Path) -> None:
    path = bundle / "report/report.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["dimensions"][0]["agreement"][0]["value"] = 0.99
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(CommandError, match="not equal"):
        verified(bundle)


def sealed(bundle: Path, name: str) -> None:
    """Write the file's hash into the manifest, as somebody would who hides a change."""
    path = bundle / "MANIFEST.sha256"
    digest = hashlib.sha256((bundle / name).read_bytes()).hexdigest()
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("".join(f"{digest if line.endswith(f'  {name}') else line[:64]}{line[64:]}\n" for line in lines))


def told_of(bundle: Path) -> str:
    told = io.StringIO()
    with pytest.raises(CommandError, match="not equal"):
        call_command("verify", str(bundle), stdout=told)
    return told.getvalue()


def test_a_table_that_was_changed_and_sealed_again_is_found_cell_by_cell(bundle: Path) -> None:
    path = bundle / "report/means.csv"
    rows = list(csv.reader(path.open(encoding="utf-8", newline="")))
    at = rows[0].index("mean")
    old, rows[2][at] = rows[2][at], "4.999"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    said = told_of(bundle)
    assert "changed file: report/means.csv" in said
    assert f"differs: report/means.csv: row 3: mean 4.999 → {old}" in said
    sealed(bundle, "report/means.csv")
    said = told_of(bundle)
    assert "changed file" not in said
    assert f"differs: report/means.csv: row 3: mean 4.999 → {old}" in said


@pytest.mark.parametrize(
    "name", ["report.tex", "report-short.tex", "report.html", "report.md", "methods.tex", "tables/means.md", ".svg"]
)
def test_a_text_that_was_changed_and_sealed_again_is_found(bundle: Path, name: str) -> None:
    path = bundle / "report" / name if name != ".svg" else min((bundle / "report/figures").glob("*.svg"))
    text = path.read_text(encoding="utf-8")
    at = max(place for place, sign in enumerate(text) if sign.isdigit())
    path.write_text(f"{text[:at]}{9 - int(text[at])}{text[at + 1 :]}", encoding="utf-8")
    sealed(bundle, changed := path.relative_to(bundle).as_posix())
    (line,) = told_of(bundle).splitlines()
    assert line.startswith(f"differs: {changed}: line ")


def test_an_image_that_was_changed_and_sealed_again_is_found(study: Study, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    with (tmp_path / "bundle.zip").open("w+b") as file:
        write_release(study=study, target=file, with_images=True)
        zipfile.ZipFile(file).extractall(bundle)
    assert verified(bundle).startswith("equal: all ")
    image = min((bundle / "images").iterdir())
    image.write_bytes(image.read_bytes() + b"x")
    assert f"changed file: images/{image.name}" in told_of(bundle)
    sealed(bundle, f"images/{image.name}")
    assert f"differs: images/{image.name}: its hash is " in told_of(bundle)
    image.unlink()
    assert f"missing file: images/{image.name}" in told_of(bundle)


def test_a_file_that_was_added_is_named(bundle: Path) -> None:
    (bundle / "report/more.csv").write_text("a\n")
    assert "not a file of this bundle: report/more.csv" in verified(bundle)


def test_of_another_version_s_bundle_the_tables_are_compared(bundle: Path) -> None:
    path = bundle / "release.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | {"code_version": "0.4.0"}
    path.write_text(json.dumps(settings), encoding="utf-8")
    sealed(bundle, "release.json")
    (bundle / "report/report.tex").write_text("worded in another way", encoding="utf-8")
    sealed(bundle, "report/report.tex")
    assert "made by evalsite 0.4.0" in verified(bundle)
    table = bundle / "report/means.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(".", ".9", 1), encoding="utf-8")
    sealed(bundle, "report/means.csv")
    assert "differs: report/means.csv: row " in told_of(bundle)


def test_what_is_not_a_bundle_is_refused_with_a_reason(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"not a zip")
    with pytest.raises(CommandError, match="cannot be opened as a zip"):
        verified(tmp_path / "no.zip")
    with pytest.raises(CommandError, match=r"release\.json cannot be read"):
        verified(tmp_path)
    (bundle / "data/ratings.csv").unlink()
    with pytest.raises(CommandError, match="rows cannot be analysed"):
        verified(bundle)


def test_croissant_has_every_column_with_its_source_and_the_right_hashes(bundle: Path) -> None:
    made = json.loads((bundle / "croissant.json").read_text(encoding="utf-8"))
    hashes = dict(
        reversed(line.split("  ")) for line in (bundle / "MANIFEST.sha256").read_text(encoding="utf-8").splitlines()
    )
    for file in made["distribution"]:
        assert file["sha256"] == hashes[file["contentUrl"]]
    for records in made["recordSet"]:
        header = (bundle / f"data/{records['name']}.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
        assert [field["source"]["extract"]["column"] for field in records["field"]] == header
        assert {field["source"]["fileObject"]["@id"] for field in records["field"]} == {f"{records['name']}.csv"}
    assert "shuffled for each rater" in made["rai:dataAnnotationProtocol"]


def test_nothing_is_released_of_a_study_without_answers(tmp_path: Path) -> None:
    target = tmp_path / "empty.zip"
    with pytest.raises(CommandError, match="Nobody has answered yet"):
        call_command("release", make_study(n_items=2).token, out=target)
    assert list(tmp_path.glob("*.zip*")) == []


def test_a_release_holds_the_image_files_on_request_and_they_are_verified(study: Study, tmp_path: Path) -> None:
    target = tmp_path / "study.zip"
    call_command("release", study.token, out=target, images=True, stdout=io.StringIO())
    folder = tmp_path / "folder"
    zipfile.ZipFile(target).extractall(folder)
    with (folder / "data" / "images.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    for row in rows:
        content = (folder / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
    assert verified(folder).startswith("equal: all ")
    (folder / rows[0]["file"]).write_bytes(b"another picture")
    told = io.StringIO()
    with pytest.raises(CommandError, match="not equal"):
        call_command("verify", str(folder), stdout=told)
    assert rows[0]["file"] in told.getvalue()


def test_a_release_without_images_has_their_hashes_alone(bundle: Path) -> None:
    assert not (bundle / "images").exists()
    assert verified(bundle).startswith("equal: all ")
