"""The whole training in small: from nothing to weights that the site's own engines load, and on after a break."""

import os
import re
import subprocess
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from pathlib import Path

import pytest
import torch
from PIL import Image

from generation.engines import small_model
from generation.engines.registry import load
from generation.recipes.contract import DrawRequest, ScoreRequest
from generation.recipes.engine_spec import EngineSpec, Surroundings
from generation.training import parallel
from generation.training.clock import Clock
from generation.training.course import FULL
from tests.servers import ROOT

HERE = Surroundings(device="cpu")


def train(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "generation.training", str(folder), "--smoke"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, float]:
    folder = tmp_path_factory.mktemp("training")
    began = time.monotonic()
    said = train(folder)
    return folder, said, time.monotonic() - began


def test_it_ends_and_logs_what_it_does(trained: tuple[Path, str, float]) -> None:
    """After its steps, however fast the machine is."""
    _, said, _ = trained
    steps = re.findall(r"^(\w+): step (\d+), ", said, re.MULTILINE)
    assert dict(steps) == {"autoencoder": "4", "decoder": "2", "transformer": "4", "clip": "2"}
    assert "psnr" in said
    assert "held_out" in said


def test_the_weights_draw_and_score(trained: tuple[Path, str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise, after seconds of training, but through the engines that draw and score with the committed weights."""
    folder, _, _ = trained
    monkeypatch.setattr("generation.engines.sd3.loading.PIPELINE", folder / "weights" / "pipeline")
    monkeypatch.setattr("generation.engines.metrics.clip_score.CLIP", folder / "weights" / "clip")
    engine = load(EngineSpec("sd3", {"model": small_model.SCENES}), HERE)
    (drawn,) = engine.draw([DrawRequest("A red star.", 1, 4, 4.0, 64, 64)])
    assert Image.open(BytesIO(drawn.png)).size == (64, 64)
    metric = load(EngineSpec("clip-score", {"model": small_model.SCENES}), HERE)
    (scored,) = metric.score([ScoreRequest(drawn.png, "A red star.")])
    assert 0 <= scored.value <= 2.5


def test_what_is_finished_is_not_done_again(trained: tuple[Path, str, float]) -> None:
    folder, _, first = trained
    before = (folder / "transformer.pt").stat().st_mtime
    pictures = (folder / "pictures-000.npy").stat().st_mtime_ns
    began = time.monotonic()
    said = train(folder)
    assert said == ""
    assert (folder / "pictures-000.npy").stat().st_mtime_ns == pictures
    assert (folder / "transformer.pt").stat().st_mtime >= before
    assert time.monotonic() - began < first


def test_a_course_is_scaled_in_its_steps_alone() -> None:
    twice = FULL.scaled(2)
    assert (twice.autoencoder, twice.clip, twice.chunks) == (2 * FULL.autoencoder, 2 * FULL.clip, FULL.chunks)
    assert FULL.scaled(1e-9).decoder == 1


def test_the_learning_rate_depends_on_the_steps_alone() -> None:
    """(1 + cos(π/2)) / 2 = 1/2 half-way through what is left after the share that is held."""
    clock = Clock("part", 10)
    factors = []
    while not clock.is_over:
        factors.append(clock.cosine(held=0.6, least=0.2))
        clock.tick(0.0)
    assert factors[:7] == [1.0] * 7
    assert factors[8] == pytest.approx(0.2 + 0.8 / 2)
    assert clock.cosine(held=0.6, least=0.2) == pytest.approx(0.2)


def test_a_step_takes_no_longer_than_in_float32() -> None:
    """Processors without instructions for bfloat16 emulate it, eight times as slowly."""
    network = torch.nn.Sequential(torch.nn.Linear(256, 1024), torch.nn.SiLU(), torch.nn.Linear(1024, 256))
    numbers = torch.rand(1024, 256)

    def step(precision: AbstractContextManager[object]) -> float:
        with precision:
            began = time.thread_time()
            network(numbers).sum().backward()
            return time.thread_time() - began

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seen = [(step(parallel.fast_precision()), step(nullcontext())) for _ in range(6)]
    finally:
        torch.set_num_threads(threads)
    fast, plain = (min(times) for times in zip(*seen, strict=True))
    assert fast < 3 * plain
