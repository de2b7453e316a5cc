"""From prompts to a study, by a real worker process, a real broker, and real diffusers, open_clip and transformers."""

import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db.models import Sum

from annotations.services.run_studies import study_of_run
from generation import dispatch
from generation.models import Claim, Critique, Decomposition, Image, Latents, MetricScore, ModelCall, Run, Step
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import methods
from generation.recipes.matrix.matrix import Matrix
from generation.recipes.matrix.methods import Drawing
from tests.engines.chat_server import ChatServer
from tests.factories import make_prompt, make_prompt_set, make_user
from tests.runs import talking
from tests.servers import Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.worker]

PATIENCE_S = 240
TINY = {"model": "tiny"}
PRICES = {"price_in": 2.0, "price_out": 8.0}  # US dollars a million tokens
CHAT = EngineSpec("chat", {"endpoint": "here", "model": "talking", **PRICES})
MATRIX = Matrix(
    methods=(methods.BASELINE, methods.renoised(2), methods.switched(2), methods.REFINE_PLAINLY),
    seeds=(7,),
    engines={"image": EngineSpec("sd3", TINY), "language": CHAT, "critic": CHAT},
    metrics={name: EngineSpec(name, TINY) for name in ("clip-score", "image-reward", "blip-vqa")},
    drawing=Drawing(n_steps=5, width=64, height=64),
)


def wait_for(run: Run) -> None:
    end = time.monotonic() + PATIENCE_S
    while not run.has_ended and run.state != Run.State.PAUSED:
        assert time.monotonic() < end, Counter(run.steps.values_list("kind", "state"))
        time.sleep(0.1)
        run.refresh_from_db()


def test_from_prompts_to_a_study(celery_worker_process: Callable[..., Server]) -> None:
    researcher = make_user(researcher=True)
    prompt_set = make_prompt_set()
    prompts = [make_prompt(text, prompt_set=prompt_set) for text in ("A fox by a pot.", "A hare beside a lamp.")]
    with ChatServer(talking.answer) as server:
        worker = celery_worker_process(
            queues="cpu,gpu", EVALSITE_ENDPOINTS=f"here={server.url}", EVALSITE_KEY_HERE="k3y"
        )
        run = dispatch.start_run(
            name="whole", owner=researcher, prompt_set=prompt_set, prompts=[p.pk for p in prompts], matrix=MATRIX
        )
        wait_for(run)

        assert (run.state, run.message) == (Run.State.DONE, ""), list(run.steps.values_list("message", flat=True))
        assert set(run.steps.values_list("state", flat=True)) == {Step.State.DONE}
        # Each prompt: one decomposition, four images, three scores each; a structured and a plain critique.
        assert Decomposition.objects.count() == 2
        assert Image.objects.count() == 8
        assert MetricScore.objects.count() == 24
        assert Critique.objects.count() == 4
        assert Claim.objects.filter(about="r1", kind="relation").count() == 2
        # The ledger is what the server has counted.
        tokens = ModelCall.objects.aggregate(Sum("n_tokens_in"), Sum("n_tokens_out"), Sum("cost"))
        assert tokens["n_tokens_in__sum"] == server.tokens_in
        assert tokens["n_tokens_out__sum"] == server.tokens_out
        assert tokens["cost__sum"] == Decimal(server.tokens_in * 2 + server.tokens_out * 8) / 1_000_000
        assert "k3y" not in worker.says()

    for baseline in Image.objects.filter(method__kind="baseline"):
        # Refinement never passed through a picture file: the finished latents and the state after three steps are kept.
        assert set(Latents.objects.filter(image=baseline).values_list("n_done", flat=True)) == {3, 5}
        refined = baseline.children.order_by("method__name")
        assert len({image.sha256 for image in [baseline, *refined]}) == 4
        assert {image.variant.text.startswith(baseline.prompt.text) for image in refined if image.variant} == {True}

    study = study_of_run(run=run, owner=researcher)
    assert study.items.count() == 8
