"""The manifest of a run, as a researcher downloads it."""

import io

import pytest
from django.test import Client
from django.urls import reverse

from generation.models import Step
from generation.recipes.matrix import manifest
from tests.factories import make_image, make_run, make_user

pytestmark = pytest.mark.django_db


def test_it_names_every_image_of_the_run_and_what_each_began_from(client: Client) -> None:
    run = make_run(n_prompts=1)
    baseline = make_image(seed=7)
    spec = {"engine": "sd3", "options": {"model": "tiny"}}
    start = {"mode": "renoise", "image": baseline.pk, "n": 2, "sha256": "ab", "noise_seed": 7}
    refined = make_image(prompt=baseline.prompt, provenance={"spec": spec, "start": start, "request": {"seed": 7}})
    Step.objects.filter(pk=run.steps.filter(kind=Step.Kind.DRAW)[0].pk).update(image=refined)
    client.force_login(make_user(researcher=True))

    response = client.get(reverse("run-manifest", args=[run.pk]))

    assert response.headers["Content-Disposition"] == f'attachment; filename="run-{run.pk}-manifest.jsonl"'
    records = manifest.read(io.StringIO(response.getvalue().decode()))  # type: ignore[attr-defined]
    assert [record.id for record in records] == [str(baseline.pk), str(refined.pk)]
    assert records[1].start is not None
    assert records[1].start.image == str(baseline.pk)
    assert len(records[1].pixels) == len(records[1].sha256) == 64


def test_a_run_without_images_has_an_empty_one(client: Client) -> None:
    client.force_login(make_user(researcher=True))
    response = client.get(reverse("run-manifest", args=[make_run(n_prompts=1).pk]))
    assert manifest.read(io.StringIO(response.getvalue().decode())) == []  # type: ignore[attr-defined]
