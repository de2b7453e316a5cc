"""The data-set folder: card, Parquet, images with their table, Croissant; our own importer takes the images again."""

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from django.core.management import CommandError, call_command

from annotations.models import Study
from annotations.services.formats.registry import FORMATS
from generation.models import Image
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    study = make_study(n_items=6, title="Foxes: a study")
    for rater in (make_rater(study, name="Ann Example"), make_rater(study, name="Bo Example")):
        for at, item in enumerate(study.items.order_by("position")):
            make_answer(item, rater, level=None if at == 5 else at % 5)
    out = tmp_path / "set"
    call_command("export_study", study.token, "--as", "dataset", "--out", str(out), stdout=io.StringIO())
    return out


def test_the_card_names_files_that_are_there(folder: Path) -> None:
    _, head, _body = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    card = yaml.safe_load(head)
    assert card["pretty_name"] == "Foxes: a study"
    paths = {config["config_name"]: config["data_files"][0]["path"] for config in card["configs"]}
    assert {"ratings", "items", "questions"} <= set(paths)
    assert all((folder / path).is_file() for path in paths.values())


def test_ratings_have_aliases_and_every_answer(folder: Path) -> None:
    rows = pq.read_table(folder / "data" / "ratings.parquet").to_pylist()
    assert len(rows) == 12
    assert {row["rater"] for row in rows} == {"rater-1", "rater-2"}
    assert sum(row["value"] == "unable to answer" for row in rows) == 2
    assert {type(row["active_ms"]) for row in rows} == {int, type(None)}
    assert b"Example" not in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_images_are_the_originals_and_are_imported_again(folder: Path) -> None:
    before = sorted(Image.objects.values_list("sha256", flat=True))
    files = sorted((folder / "images").glob("*.png"))
    assert sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files) == before
    call_command("import_images", str(folder / "images"), "--set", "again", stdout=io.StringIO())
    again = Image.objects.filter(prompt__prompt_set__name="again")
    keys = pq.read_table(folder / "data" / "ratings.parquet").column("item").to_pylist()
    assert sorted(again.values_list("sha256", flat=True)) == before
    assert set(again.values_list("key", flat=True)) == set(keys)


def test_croissant_describes_every_table_and_its_hash(folder: Path) -> None:
    made = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    assert "http://mlcommons.org/croissant/1.1" in made["conformsTo"]
    files = {one["@id"]: one for one in made["distribution"]}
    for one in files.values():
        if one["@type"] == "cr:FileObject":
            content = (folder / one["contentUrl"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == one["sha256"]
    columns = pq.read_schema(folder / "data" / "ratings.parquet").names
    (ratings,) = (one for one in made["recordSet"] if one["name"] == "ratings")
    assert [field["name"] for field in ratings["field"]] == columns
    for records in made["recordSet"]:
        for field in records["field"]:
            source = field["source"]
            assert source.get("fileObject", source.get("fileSet"))["@id"] in files
    said = {key for key in made if key.startswith("rai:")}
    assert {"rai:dataAnnotationProtocol", "rai:dataAnnotationPlatform", "rai:dataLimitations"} <= said
    assert all(made[key] for key in said)


def test_a_study_without_answers_has_no_data_set(tmp_path: Path) -> None:
    study = make_study(n_items=1)
    with pytest.raises(CommandError, match="Nobody has answered yet"):
        call_command("export_study", study.token, "--as", "dataset", "--out", str(tmp_path / "out" / "x.zip"))
    assert list((tmp_path / "out").iterdir()) == []


def test_a_refined_image_names_its_parent() -> None:
    study: Study = make_study(item_kind="pair", n_items=1)
    make_answer(study.items.get(), make_rater(study), level=0)
    target = io.BytesIO()
    FORMATS["dataset"].write(study, target)
    with zipfile.ZipFile(target) as archive:
        table = archive.read("images/metadata.csv").decode()
    first, second = csv.DictReader(io.StringIO(table, newline=""))
    assert (first["parent"], second["parent"]) == ("", first["file_name"])
