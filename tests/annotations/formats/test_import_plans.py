"""Look-ups by key go by an index, on both databases: in imports, and in what programs push and ask by API."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from evalsite.accounts.tokens import make_token
from generation.models import Image
from tests.factories import make_user, tiny_png

pytestmark = pytest.mark.django_db
GROWING = (
    *("annotations_response", "annotations_assignment", "annotations_item", "annotations_itemimage"),
    *("annotations_rater", "generation_image", "generation_prompt", "generation_metricscore"),
)
"""Tables with a row for each rating, item, rater, image, prompt or score."""
SQLITE_SCAN = re.compile(r"SCAN (\w+)(?! USING)")
POSTGRES_SCAN = re.compile(r"Seq Scan on (\w+)")


@contextmanager
def only_by_index(what: str) -> Iterator[None]:
    """No statement within goes through a growing table from its first row to its last.

    PostgreSQL chooses by the number of rows, and here there are few: it has to scan only where nothing else is
    possible.
    """
    with CaptureQueriesContext(connection) as asked:
        yield
    statements = {query["sql"] for query in asked if query["sql"].startswith(("SELECT", "UPDATE", "DELETE"))}
    found: list[str] = []
    with transaction.atomic(), connection.cursor() as cursor:
        is_sqlite = connection.vendor == "sqlite"
        if not is_sqlite:
            cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in statements:
            cursor.execute(("EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN ") + sql)
            plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
            aliases = dict(re.findall(r'"(\w+)" (\w+)\b', sql)) | {name: name for name in GROWING}
            scanned = set((SQLITE_SCAN if is_sqlite else POSTGRES_SCAN).findall(plan))
            found += [f"{sql}\n{plan}" for table in scanned & {aliases.get(name, name) for name in GROWING}]
    assert statements
    assert not found, f"{what}:\n" + "\n\n".join(found)


def write_files(folder: Path, n: int) -> None:
    items = "".join(f"i{i}.png,a fox number {i // 2},p{i // 2},m{i % 2}\n" for i in range(n))
    (folder / "items.csv").write_text("item,prompt,prompt_id,method\n" + items)
    ratings = "".join(f"i{i}.png,rater {r},quality,{1 + (i + r) % 5}\n" for i in range(n) for r in range(3))
    (folder / "ratings.csv").write_text("item,rater,dimension,value\n" + ratings)
    (folder / "scores.csv").write_text("item,metric,value\n" + "".join(f"i{i}.png,clip,0.{i}\n" for i in range(n)))


def test_imports_look_up_by_index(tmp_path: Path) -> None:
    make_user("owner")
    for n, what in ((20, "the first import"), (30, "a second one that adds to it")):
        write_files(tmp_path, n)
        with only_by_index(what):
            call_command(
                "import_ratings",
                str(tmp_path / "ratings.csv"),
                items=str(tmp_path / "items.csv"),
                metrics=str(tmp_path / "scores.csv"),
                study="s",
                owner="owner",
                scale=["1-5"],
                verbosity=0,
            )
    assert Image.objects.count() == 30


def test_programs_look_up_by_index() -> None:
    ruth = make_user("ruth", researcher=True)
    key = make_token(user=ruth, name="test", days=1, scopes=("read", "data", "studies", "rate"))[1]
    api = Client(headers={"authorization": f"Token {key}"})

    def send(address: str, body: Any) -> None:
        answer = api.post(f"/api/v1/{address}/", json.dumps(body), content_type="application/json")
        assert answer.status_code == 200, answer.content

    for _ in range(2):
        with only_by_index("prompts"):
            send(
                "prompts", {"prompt_set": "run", "prompts": [{"prompt": f"fox {n}", "key": f"p{n}"} for n in range(9)]}
            )
        rows = [{"file": f"{n}.png", "prompt_key": f"p{n}", "key": f"k{n}"} for n in range(3)]
        form: dict[str, Any] = {"prompt_set": "run", "method": "sdxl", "images": json.dumps(rows)}
        form["files"] = [SimpleUploadedFile(f"{n}.png", tiny_png(n)) for n in range(3)]
        with only_by_index("images"):
            assert api.post("/api/v1/images/", form).status_code == 200
        sums = dict(Image.objects.values_list("key", "sha256"))
        with only_by_index("scores"):
            by_key = [{"image": image, "metric": "clip", "value": 0.5} for image in sums]
            by_sum = [{"image": value, "metric": "blip", "value": 0.5} for value in sums.values()]
            send("scores", {"scores": by_key + by_sum, "prompt_set": "run"})
    with only_by_index("one image"):
        assert api.get("/api/v1/images/", {"prompt_set": "run", "key": "k1"}).status_code == 200
