"""Published human ratings of 800 images: `tests/data/dsg_tifa160`, as rows and as the files that an import takes."""

import csv
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "data" / "dsg_tifa160"
_DESCRIPTION = ("model", "prompt_id", "source_id")
_DIMENSIONS = {"dsg": "consistency", "tifa": "consistency_tifa"}


@cache
def _images() -> list[dict[str, str]]:
    with (FOLDER / "images.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _key(image: dict[str, str]) -> str:
    return f"{image['model']}|{image['prompt_id']}"


def expected() -> dict[str, Any]:
    """The published figures, and those recomputed with other programs."""
    figures: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text())
    return figures


def item_rows() -> Iterator[dict[str, str]]:
    """800 images of 160 prompts by five models."""
    for image in _images():
        yield {
            "item": _key(image),
            "t2i_model": image["model"],
            "item_id": image["prompt_id"],
            "source_id": image["source_id"],
            "prompt": f"the prompt {image['prompt_id']}",
        }


def rating_rows() -> Iterator[dict[str, str]]:
    """3,995 ratings by five raters ("consistency") and 1,600 by two others ("consistency_tifa"), from 1 to 5."""
    for image in _images():
        for column, value in image.items():
            source, _, rest = column.partition("_")
            if rest.startswith("rater") and value:
                yield {"item": _key(image), "rater": column, "dimension": _DIMENSIONS[source], "value": value}


def metric_rows() -> Iterator[dict[str, str]]:
    """19 automatic metrics of every image."""
    for image in _images():
        for column, value in image.items():
            if column not in _DESCRIPTION and "_rater_" not in column:
                yield {"item": _key(image), "metric": column, "value": value}


def write_files(folder: Path) -> Path:
    """Write items.csv, ratings.csv and metrics.csv into the folder, as `manage.py import_ratings` takes them."""
    for name, rows in (("items", item_rows()), ("ratings", rating_rows()), ("metrics", metric_rows())):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            first = next(rows)
            writer = csv.DictWriter(file, list(first))
            writer.writeheader()
            writer.writerow(first)
            writer.writerows(rows)
    return folder
