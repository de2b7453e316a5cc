"""`python -m generation.training FOLDER`: from nothing to weights, one part after the other.

What is finished in FOLDER is not done again, and what was broken off goes on. `torchrun --nproc-per-node 2 -m
generation.training FOLDER` trains autoencoder and transformer with a process for each core.
"""

import argparse
from pathlib import Path

from generation.engines.torchvision_schema import prepare

prepare()

from generation.training.course import FULL, SMOKE, run  # noqa: E402 - transformers must not be imported before

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m generation.training", description=__doc__)
    parser.add_argument("folder", type=Path, help="where pictures, states and the weights go; nothing else is written")
    parser.add_argument("--smoke", action="store_true", help="the whole course in seconds, to see that it runs")
    parser.add_argument("--scale", type=float, default=1.0, help="this many times the steps of the committed weights")
    asked = parser.parse_args()
    run(asked.folder, (SMOKE if asked.smoke else FULL).scaled(asked.scale))
