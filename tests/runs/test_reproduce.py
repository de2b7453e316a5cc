"""Images are made again from the site's records, or from a manifest alone, and distinguished from those that differ."""

import io
import json
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from generation.models import Image, Latents, Run, Step
from generation.recipes.matrix.matrix import Matrix
from tests.factories import make_image, make_prompt, make_prompt_set
from tests.runs.test_killed_worker import MATRIX

pytestmark = pytest.mark.django_db(transaction=True)
N_IMAGES = 5  # the baseline, its re-noised form, two switched ones, and the chosen one of these


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A finished run of one prompt, started and worked off by the command."""
    prompt_set = make_prompt_set("to try")
    make_prompt("A fox stirs a red pot.", prompt_set=prompt_set)
    (tmp_path / "matrix.json").write_text(json.dumps(MATRIX.as_json()))
    said = io.StringIO()
    call_command(
        *("generate", "start", "--prompt-set", "to try", "--matrix", str(tmp_path / "matrix.json"), "--here"),
        stdout=said,
    )
    run = Run.objects.get()
    assert (run.state, run.message) == (Run.State.DONE, "")
    assert f"Run {run.pk}, done: 12 of 12 steps, 4 images, 0 failed." in said.getvalue()
    return run


def reproduce(*arguments: str) -> str:
    said = io.StringIO()
    call_command("reproduce", *arguments, stdout=said)
    return said.getvalue()


def test_every_image_of_a_run_is_made_again_bit_for_bit(run: Run, tmp_path: Path) -> None:
    said = reproduce("--run", str(run.pk), "--out", str(tmp_path / "again"))

    assert said.count("bit-equal") == N_IMAGES + 1
    assert f"{N_IMAGES} of {N_IMAGES} images are bit-equal." in said
    report = json.loads((tmp_path / "again" / "report.json").read_text())
    assert {row["is_equal"] for row in report} == {True}
    assert len(list((tmp_path / "again").glob("*.png"))) == N_IMAGES


def test_a_manifest_is_enough_without_the_site_that_wrote_it(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "manifest.jsonl"
    call_command("export_manifest", str(run.pk), "--out", str(file), stdout=io.StringIO())
    Run.objects.all().delete()
    for latents in Latents.objects.all():
        default_storage.delete(latents.file.name or "")
    Latents.objects.all().delete()

    assert f"{N_IMAGES} of {N_IMAGES} images are bit-equal." in reproduce("--manifest", str(file))


def test_one_image_brings_those_that_it_began_from(run: Run) -> None:
    chosen = Image.objects.get(method__name__endswith="best of two")

    said = reproduce("--image", str(chosen.pk))

    assert "3 of 3 images are bit-equal." in said  # the baseline, the switched one, and the choice


def test_what_differs_is_said_with_how_much(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "manifest.jsonl"
    call_command("export_manifest", str(run.pk), "--out", str(file), stdout=io.StringIO())
    originals = tmp_path / "originals"
    originals.mkdir()
    for image in Image.objects.all():
        (originals / f"{image.sha256}.png").write_bytes(image.file.read())
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    baseline = next(row for row in rows[1:] if row["round"] == 0)
    baseline["request"]["seed"] += 1
    file.write_text("\n".join(map(json.dumps, rows)))

    said = io.StringIO()
    with pytest.raises(CommandError, match=f"0 of {N_IMAGES} images are bit-equal"):
        call_command("reproduce", "--manifest", str(file), "--originals", str(originals), stdout=said)

    assert "different by at most" in said.getvalue()
    assert "The image it began from came out different." in said.getvalue()


def test_an_imported_image_is_said_to_be_one() -> None:
    with pytest.raises(CommandError, match="0 of 1 images"):
        reproduce("--image", str(make_image().pk))


@pytest.mark.parametrize("arguments", [("--run", "99"), ("--image", "99"), ("--manifest", "nowhere.jsonl")])
def test_what_is_not_there_is_said(arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=r"There is no|No such file"):
        reproduce(*arguments)


def test_a_second_run_takes_over_what_the_first_has_made(run: Run, tmp_path: Path) -> None:
    n_images = Image.objects.count()
    call_command(
        *("generate", "start", "--prompt-set", "to try", "--matrix", str(tmp_path / "matrix.json"), "--here"),
        stdout=io.StringIO(),
    )

    again = Run.objects.exclude(pk=run.pk).get()
    assert set(again.steps.exclude(kind=Step.Kind.CHOOSE).values_list("is_reused", flat=True)) == {True}
    assert Image.objects.count() == n_images
    assert Matrix.from_json(again.matrix) == MATRIX
