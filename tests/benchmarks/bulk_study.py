"""A large study, laid into an SQLite or PostgreSQL database by plain SQL in seconds."""

from itertools import islice

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from annotations.models import Dimension, Study
from annotations.questions import DEFAULT
from annotations.stats.arrays import FloatArray, IntArray
from generation.models import Method, PromptSet

METHODS = 2
ROWS_AT_ONCE = 50_000


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
            "INSERT INTO annotations_item (id, study_id, position, key, prompt_id, wanted, taken, frozen, role, "
            f"reason, n_further, look) SELECT i + {first_item}, %s, i, 'item ' || i, i / {METHODS} + {first_prompt}, "
            "%s, 0, '{}', 'rated', '', 0, 1 FROM n",
            [study.pk, k],
        )
        cursor.execute(
            "INSERT INTO annotations_itemimage (item_id, image_id, slot) "
            f"SELECT i + {first_item}, i + {first_image}, 0 FROM n"
        )
        cursor.execute("DROP TABLE n")
    _bring_up_to_date("generation_prompt", "generation_image", "annotations_item")
    return study


def _next_id(cursor: CursorWrapper, table: str) -> int:
    cursor.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")
    return int(cursor.fetchone()[0])


def lay_answers(study: Study, *, item: IntArray, rater: IntArray, level: IntArray) -> None:
    """One answered card per entry, to the study's only question. Item and rater are keys, level is an index."""
    now, dimension = timezone.now(), study.dimensions.get()
    with transaction.atomic(), connection.cursor() as cursor:
        first = _next_id(cursor, "annotations_assignment")
        rows = zip(*(column.tolist() for column in (item, rater, level)), strict=True)
        numbered = enumerate(rows, start=first)
        while batch := list(islice(numbered, ROWS_AT_ONCE)):
            cursor.executemany(
                "INSERT INTO annotations_assignment (id, token, study_id, item_id, rater_id, sequence, state, "
                "answered_at, shown_order, flag, purpose, is_further, probability) "
                "VALUES (%s, %s, %s, %s, %s, %s, 'answered', %s, '', '', 'rating', false, 1)",
                [(i, f"b{i}", study.pk, row[0], row[1], i, now) for i, row in batch],
            )
            cursor.executemany(
                "INSERT INTO annotations_response (assignment_id, dimension_id, revision, is_current, level, "
                "is_unable, answered_at, received_at, active_ms, language) "
                "VALUES (%s, %s, 1, true, %s, false, %s, %s, 4000, '')",
                [(i, dimension.pk, row[2], now, now) for i, row in batch],
            )
    _bring_up_to_date("annotations_assignment")


def lay_scores(metric: str, *, image: IntArray, score: FloatArray) -> None:
    """One score of one metric per image."""
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        rows = zip(image.tolist(), score.tolist(), strict=True)
        while batch := list(islice(rows, ROWS_AT_ONCE)):
            cursor.executemany(
                "INSERT INTO generation_metricscore (image_id, metric, version, value, provenance, created_at) "
                "VALUES (%s, %s, '', %s, '{}', %s)",
                [(pk, metric, value, now) for pk, value in batch],
            )
    _bring_up_to_date()


def _bring_up_to_date(*tables: str) -> None:
    """The counts of rows that the database plans by, and the next keys of these tables."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "sqlite":
            # Every reader would look through what was written and not yet brought into the file.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if connection.vendor == "postgresql":
            for table in tables:
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
