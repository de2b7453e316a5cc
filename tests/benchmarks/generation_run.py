"""A whole run of DetailScribe's switch matrix, metrics and all, compared with the plain loop that the released code is.

    python -m tests.benchmarks.generation_run [--large] [--prompts 6]

Ours: `generate`'s run in this process — planned, claimed, drawn, criticised, scored by three metrics, each step saved
with its files in a database of its own. The plain loop: the same images by diffusers' pipeline, one prompt after the
other, all steps for each (see tests/benchmarks/generation.py), kept as JPEG like the released code's, and scored by
the same three metrics one image at a time; the critique is given to it. Without --large: tiny random weights on the
CPU. --large: the architecture of Stable Diffusion 3.5 Large with random weights on CUDA; the metrics stay tiny.
"""

import argparse
import os
import tempfile
import time
from io import BytesIO
from typing import Any

METRICS = ("clip-score", "image-reward", "blip-vqa")


def set_up(folder: str) -> None:
    """A site of its own in this process."""
    os.environ.update(DJANGO_SETTINGS_MODULE="evalsite.settings", EVALSITE_DATA_DIR=folder)
    for name in ("DATABASE_URL", "CELERY_BROKER_URL"):
        os.environ.pop(name, None)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def switched(k: int) -> Any:
    """The released code's method, which draws also where the critic finds nothing wrong."""
    from generation.recipes.matrix import methods as m

    refinement = m.Refinement("switch", k, swap_pooled=False, stop_early=False)
    return m.MethodSpec(f"switch {k}", refinement=refinement)


def our_run(prompts: list[str], side: int, n_steps: int) -> tuple[float, Any]:
    """Seconds from the start to the end of a run, and the run."""
    from generation import dispatch
    from generation.models import Prompt, PromptSet, Run
    from generation.recipes.engine_spec import EngineSpec
    from generation.recipes.matrix import methods as m
    from generation.recipes.matrix.experiments import questions_critic
    from generation.recipes.matrix.matrix import Matrix
    from tests.benchmarks.generation import SEED, SWITCHES

    matrix = Matrix(
        methods=(m.BASELINE, *map(switched, SWITCHES)),
        seeds=(SEED,),
        engines={
            "image": EngineSpec("sd3", {"model": "tiny"}),
            "language": EngineSpec("rules"),
            "critic": questions_critic(is_tiny=True),
        },
        metrics={name: EngineSpec(name, {"model": "tiny"}) for name in METRICS},
        drawing=m.Drawing(n_steps=n_steps, width=side, height=side),
    )
    prompt_set = PromptSet.objects.create(name=f"benchmark {time.monotonic_ns()}")
    rows = [
        Prompt.objects.create(prompt_set=prompt_set, text=text, digest=Prompt.digest_of(text)).pk for text in prompts
    ]
    began = time.perf_counter()
    run = dispatch.start_run(
        name="benchmark", owner=None, prompt_set=prompt_set, prompts=rows, matrix=matrix, may_reuse=False
    )
    dispatch.work_here(run=run)
    seconds = time.perf_counter() - began
    run.refresh_from_db()
    if run.state != Run.State.DONE or run.message:
        raise SystemExit(f"The run did not end well: {run.message}")
    return seconds, run


def plain_loop(pipe: Any, pairs: list[tuple[str, str]], side: int, n_steps: int) -> tuple[float, list[bytes]]:
    """Seconds for the released code's loop with its metrics, and the images as PNG files."""
    from PIL import Image

    from generation import availability
    from generation.recipes.contract import ScoreRequest
    from generation.recipes.engine_spec import EngineSpec
    from tests.benchmarks.generation import Work, plain

    metrics = [availability.engine_for(EngineSpec(name, {"model": "tiny"})) for name in METRICS]
    began = time.perf_counter()
    files: list[bytes] = []
    for pair in pairs:
        for png in plain(pipe, Work([pair], n_steps, side)):
            jpeg = BytesIO()
            Image.open(BytesIO(png)).save(jpeg, "JPEG")
            for metric in metrics:
                metric.score([ScoreRequest(jpeg.getvalue(), pair[0])])
            files.append(png)
    return time.perf_counter() - began, files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="Stable Diffusion 3.5 Large's architecture, on CUDA")
    parser.add_argument("--prompts", type=int, help="default 6, with --large 2")
    parser.add_argument("--steps", type=int, default=28)
    parser.add_argument("--side", type=int, help="pixels; default 64, with --large 1024")
    said = parser.parse_args()
    side = said.side or (1024 if said.large else 64)
    with tempfile.TemporaryDirectory() as folder:
        set_up(folder)
        measure(large=said.large, n_prompts=said.prompts or (2 if said.large else 6), side=side, n_steps=said.steps)


def measure(*, large: bool, n_prompts: int, side: int, n_steps: int) -> None:
    from django.conf import settings

    from generation import availability
    from generation.engines import registry
    from generation.engines.device import choose_device, computing_threads
    from generation.engines.sd3 import engine as sd3
    from generation.engines.sd3.loading import Options
    from generation.engines.tiny import sd3 as tiny_sd3
    from generation.engines.torchvision_schema import prepare
    from generation.models import Image
    from generation.recipes.engine_spec import EngineSpec, Surroundings
    from tests.benchmarks.generation import largest_difference, work_of
    from tests.benchmarks.sd35_large import build

    settings.GENERATION_DEVICE = "cuda" if large else "cpu"
    prepare()
    from transformers import logging

    logging.set_verbosity_error()  # CLIP reads the first 77 tokens of a prompt, and says so each time
    device = choose_device(Surroundings(device=settings.GENERATION_DEVICE))
    pipe = build(device) if large else tiny_sd3.build()
    pipe.set_progress_bar_config(disable=True)
    if large:
        # Under the tiny engine's name, the only thing of this that a run knows.
        engine = sd3.Sd3(pipe, Options(model="random weights", dtype="bf16"), device)
        registry._loaded[registry._key(EngineSpec("sd3", {"model": "tiny"}), availability.surroundings())] = engine
    prompts = [prompt for prompt, _refined in work_of(n_prompts, n_steps, side).pairs]
    with computing_threads(None if large else 1):
        our_run(["The owl holds a key."], side, max(6, n_steps // 4))  # everything is loaded before the clock starts
        ours_s, run = our_run(prompts, side, n_steps)
        images = list(Image.objects.filter(steps__run=run).distinct().order_by("prompt", "pk"))
        pairs, ours = [], []
        for prompt in prompts:
            made = {i.method.parameters["method"]["label"]: i for i in images if i.prompt.text == prompt}
            pairs.append((prompt, made["switch 0"].provenance["request"]["prompt"]))
            names = sorted(made)  # the baseline, then by switch step
            ours += [made[name].file.read() for name in names]
        plain_s, plain = plain_loop(pipe, pairs, side, n_steps)
    print(f"{device}, {'SD3.5 Large' if large else 'tiny'}, {side} px, {n_steps} steps, {n_prompts} prompts, ", end="")
    print(f"{len(images)} images, {run.steps.count()} steps of the run, metrics {', '.join(METRICS)}\n")
    print(f"{'':18}{'seconds':>9}{'images/s':>10}")
    for words, seconds in (("plain loop", plain_s), ("whole run here", ours_s)):
        print(f"{words:18}{seconds:>9.2f}{len(images) / seconds:>10.3g}")
    print(f"\n{plain_s / ours_s:.2f} times as fast; ", end="")
    print(f"largest difference of a pixel: {largest_difference(plain, ours)} of 255 levels")


if __name__ == "__main__":
    main()
