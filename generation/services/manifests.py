"""From stored images to a manifest: each with what made it, and with every image that it began from."""

from collections.abc import Collection, Iterator

from django.core.files.storage import default_storage
from django.http import StreamingHttpResponse

from generation.models import Image, Run
from generation.queries.runs.images import images_of_run
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.manifest import Record, Start, lines
from generation.recipes.pixels import pixels_digest

ROWS_AT_ONCE = 500


def ids_of_run(run_id: int) -> list[int]:
    """The images of a run, by their row ids."""
    return list(Image.objects.filter(pk__in=images_of_run(run_id)).order_by("pk").values_list("pk", flat=True))


def manifest_of(run: Run) -> StreamingHttpResponse:
    """A run's manifest as a file to download, written while it is sent."""
    return StreamingHttpResponse(
        lines(records(ids_of_run(run.pk))),
        content_type="application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="run-{run.pk}-manifest.jsonl"'},
    )


def records(images: Collection[int]) -> Iterator[Record]:
    """A record for each of these images (row ids) and for those that they began from, the latter first.

    Reads each file once, for the digest of its pixels. Memory: the ids, and ROWS_AT_ONCE rows.
    """
    wanted = _with_ancestors(images)
    for first in range(0, len(wanted), ROWS_AT_ONCE):
        rows = Image.objects.select_related("prompt", "method").in_bulk(wanted[first : first + ROWS_AT_ONCE])
        for pk in wanted[first : first + ROWS_AT_ONCE]:
            if pk in rows:
                yield record(rows[pk])


def record(image: Image) -> Record:
    """What is known of how an image was made. An imported one has neither engine nor request."""
    made = image.provenance
    spec, start, source = made.get("spec"), made.get("start"), made.get("copied_from")
    return Record(
        id=str(image.pk),
        prompt=image.prompt.text,
        method=image.method.name,
        seed=image.seed,
        round=image.round,
        sha256=image.sha256,
        pixels=_pixels(image),
        engine=EngineSpec.from_json(spec) if spec else None,
        identity=made.get("engine", {}) if spec else {},
        request=made.get("request", {}) if spec else {},
        start=Start(**{**start, "image": str(start["image"])}) if start and not source else None,
        copied_from=str(source) if source else "",
    )


def file_of(image_id: int) -> bytes | None:
    """An image's file; None where it is held elsewhere or gone."""
    image = Image.objects.filter(pk=image_id).exclude(file="").first()
    name = image.file.name if image is not None else None
    if not name or not default_storage.exists(name):
        return None
    with default_storage.open(name, "rb") as stream:
        content: bytes = stream.read()
    return content


def _pixels(image: Image) -> str:
    content = file_of(image.pk)
    return pixels_digest(content) if content is not None else ""


def _with_ancestors(images: Collection[int]) -> list[int]:
    """The ids with those that they need before them, found a generation at a time."""
    generations: list[list[int]] = []
    known: set[int] = set()
    now = list(dict.fromkeys(images))
    while now:
        generations.append(now)
        known.update(now)
        needed: list[int] = []
        for first in range(0, len(now), ROWS_AT_ONCE):
            rows = Image.objects.filter(pk__in=now[first : first + ROWS_AT_ONCE]).order_by("pk")
            for provenance in rows.values_list("provenance", flat=True):
                parent = provenance.get("copied_from") or (provenance.get("start") or {}).get("image")
                if parent is not None:
                    needed.append(int(parent))
        now = [pk for pk in dict.fromkeys(needed) if pk not in known]
    # An image may be needed by several generations: the reader puts them in order, so once is enough.
    return [pk for generation in reversed(generations) for pk in generation]
