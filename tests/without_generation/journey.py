"""What people do on a site without the extra `generation`, in a process that finds none of its packages.

tests/without_generation/test_site.py runs this as a program, on a data folder of its own.
"""

import csv
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import django

EXTRA = ("torch", "torchvision", "diffusers", "transformers", "accelerate", "open_clip", "openai", "safetensors")


def main() -> None:
    assert not [name for name in EXTRA if find_spec(name)], "these were to be hidden"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    # Static files need not be collected for this: pages are looked at, not served.
    (Path(os.environ["EVALSITE_DATA_DIR"]) / "static").mkdir()
    django.setup()

    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("check", fail_level="ERROR")

    from django.conf import settings
    from django.test import override_settings

    from evalsite import celery_app

    celery_app.loader.import_default_modules()
    assert {"generation.tasks.advance", "annotations.tasks.build_report"} <= set(celery_app.tasks)
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": static}, ALLOWED_HOSTS=["testserver"]):
        rate_and_report()
        pages_of_runs_say_what_to_install()
    assert not [name for name in EXTRA if name in sys.modules]


def rate_and_report() -> None:
    from django.test import Client

    from annotations.models import ReportSnapshot, Response
    from annotations.tasks import build_report
    from tests.annotations.looking import fetch_images
    from tests.factories import make_answer, make_rater, make_study

    study = make_study(n_items=2, k=2)
    rater, other = make_rater(study), make_rater(study)
    for item in study.items.all():
        make_answer(item, other, level=1)

    client = Client()
    sign_in(client, rater.user)
    card = page(client, f"/rate/{study.token}/")
    token = re.findall(r'data-token="([^"]+)"', card)[0]
    fetch_images(client, token)
    answered = client.post(f"/rate/{study.token}/answer/{token}/", {f"d{study.dimensions.get().pk}-0": "3"})
    assert answered.status_code == 302, answered.content
    assert Response.objects.filter(assignment__rater=rater).count() == 1

    researcher = Client()
    sign_in(researcher, study.owner)
    assert study.title in page(researcher, "/")
    for address in ("/imports/", "/imports/new/images/", f"/study/{study.token}/", "/prompts/"):
        page(researcher, address)
    results = f"/study/{study.token}/results/"
    page(researcher, results)
    snapshot = ReportSnapshot.objects.get(study=study)
    build_report(snapshot.pk)
    assert "Agreement" in page(researcher, results)
    rows = list(csv.DictReader(page(researcher, f"{results}{snapshot.pk}/means.csv").splitlines()))
    assert sum(int(row["n_ratings"]) for row in rows if row["method"]) == 3, rows


def pages_of_runs_say_what_to_install() -> None:
    from django.test import Client

    from tests.factories import make_prompt, make_prompt_set, make_user

    researcher = Client()
    sign_in(researcher, make_user(researcher=True))
    prompts = make_prompt_set()
    make_prompt(prompt_set=prompts)
    page(researcher, "/runs/")
    asked = page(researcher, f"/runs/new/?preset=tiny&prompt_set={prompts.pk}")
    for name in ("torch", "diffusers"):
        assert f"the Python package {name}" in asked, asked
    assert ".[generation]" in asked


def sign_in(client: Any, user: Any) -> None:
    from sesame.utils import get_query_string

    response = client.get(f"/s/{get_query_string(user)}", follow=True)
    assert response.status_code == 200, response.content


def page(client: Any, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, f"{address}: {response.status_code}"
    return b"".join(response).decode()


if __name__ == "__main__":
    main()
