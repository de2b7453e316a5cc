"""Paths of the files of the small model and of its CLIP. They are trained, not downloaded."""

from pathlib import Path

SCENES = "scenes"
"""As an engine's option `model`: this model."""
_WEIGHTS = Path(__file__).parent / "scenes" / "weights"
PIPELINE = _WEIGHTS / "pipeline"
CLIP = _WEIGHTS / "clip"
CURE = "Train it: python -m generation.training FOLDER. Then copy FOLDER/weights to generation/engines/scenes/weights."
