"""The whole training in small: from nothing to weights that the site's own engines load, and on after a break."""

import os
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from generation.engines import small_model
from generation.engines.registry import load
from generation.recipes.contract import DrawRequest, ScoreRequest
from generation.recipes.engine_spec import EngineSpec, Surroundings
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
    _, said, _ = trained
    for part in ("autoencoder", "transformer", "clip"):
        assert f"{part}: step " in said
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
