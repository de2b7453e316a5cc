"""A large study, laid into an SQLite or PostgreSQL database by plain SQL in seconds."""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from annotations.models import Dimension, Study
from annotations.questions import DEFAULT
from generation.models import Method, PromptSet

METHODS = 2


def lay_study(*, n_items: int, k: int, owner_id: int, lease_minutes: int = 30) -> Study:
    """A study of n_items single images, two methods per prompt, whose rows are all there and whose files are not."""
    now = timezone.now()
    study = Study.objects.create(
        title=f"{n_items} items",
        owner_id=owner_id,
        state=Study.State.OPEN,
        raters_per_item=k,
        seed=1,
        lease_minutes=lease_minutes,
    )
    Dimension.objects.create(study=study, position=0, **DEFAULT.fields())
    methods = [Method.objects.get_or_create(name=f"method {i}")[0] for i in range(METHODS)]
    prompt_set = PromptSet.objects.create(name=f"benchmark {study.pk}")
    series = (
        f"SELECT i FROM generate_series(0, {n_items - 1}) AS s(i)"
        if connection.vendor == "postgresql"
        else f"WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < {n_items - 1}) SELECT i FROM s"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE n AS " + series)
        first_prompt = _next_id(cursor, "generation_prompt")
        first_image = _next_id(cursor, "generation_image")
        first_item = _next_id(cursor, "annotations_item")
        cursor.execute(
            "INSERT INTO generation_prompt (id, prompt_set_id, digest, key, text, category, sub_category, topic, "
            f"metadata, created_at) SELECT i + {first_prompt}, %s, 'p' || i, '', 'A fox stirs a stew, number ' || i, "
            f"'', '', '', '{{}}', %s FROM n WHERE i < {-(-n_items // METHODS)}",
            [prompt_set.pk, now],
        )
        cursor.execute(
            "INSERT INTO generation_image (id, prompt_id, method_id, round, key, digest, sha256, format, file, shown, "
            f"provenance, created_at) SELECT i + {first_image}, i / {METHODS} + {first_prompt}, "
            f"CASE i % {METHODS} WHEN 0 THEN {methods[0].pk} ELSE {methods[1].pk} END, 0, 'image ' || i, "
            f"'b{study.pk}-' || i, '', '', '', '', '{{}}', %s FROM n",
            [now],
        )
        cursor.execute(
            "INSERT INTO annotations_item (id, study_id, position, key, prompt_id, wanted, taken) "
            f"SELECT i + {first_item}, %s, i, 'item ' || i, i / {METHODS} + {first_prompt}, %s, 0 FROM n",
            [study.pk, k],
        )
        cursor.execute(
            "INSERT INTO annotations_itemimage (item_id, image_id, slot) "
            f"SELECT i + {first_item}, i + {first_image}, 0 FROM n"
        )
        cursor.execute("DROP TABLE n")
        if connection.vendor == "postgresql":
            for table in ("generation_prompt", "generation_image", "annotations_item"):
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return study


def _next_id(cursor: CursorWrapper, table: str) -> int:
    cursor.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")
    return int(cursor.fetchone()[0])
