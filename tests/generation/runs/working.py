"""Runs that are carried out to their end by small engines, and what came of them."""

from generation.models import (
    Image,
    Run,
    Step,
)
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import methods as m
from generation.recipes.matrix.matrix import Matrix
from tests.factories import make_matrix, make_run
from tests.generation.small_engines import Workshop

CHAT = EngineSpec("chat", {"endpoint": "here", "model": "small talk"})
TALKING = {"language": CHAT, "critic": CHAT}


def talking(*methods: m.MethodSpec, metrics: tuple[str, ...] = (), **more: object) -> Matrix:
    return make_matrix(*methods, metrics=metrics, **TALKING, **more)  # type: ignore[arg-type]


def done(matrix: Matrix, workshop: Workshop | None = None, **fields: object) -> Run:
    """A run over one prompt, or more, that was carried out to its end."""
    run = make_run(matrix=matrix, **fields)  # type: ignore[arg-type]
    (workshop or Workshop()).work()
    run.refresh_from_db()
    assert (run.state, run.message) == (Run.State.DONE, "")
    assert not run.steps.exclude(state=Step.State.DONE).exists()
    return run


def image_of(run: Run, label: str) -> Image:
    return Image.objects.get(steps__run=run, method__name=f"tiny · {label}")


def pictures(run: Run) -> dict[str, str]:
    return dict(Image.objects.filter(steps__run=run).values_list("method__name", "sha256"))
