"""The tables that a study comes in, by what their columns are called: the same for imports and for `analyze`."""

from exchange.tables.headers import Columns

ONE_DIMENSION = "rating"
"""The name of the only question if a table of ratings does not name it."""

RATINGS = Columns(
    required=("item", "rater", "value"),
    optional=("dimension", "is_unable", "answered_at", "active_ms", "sequence", "rater_kind", "repeat"),
    aliases={
        "image": "item",
        "item_key": "item",
        "annotator": "rater",
        "worker": "rater",
        "rater_id": "rater",
        "question": "dimension",
        "rating": "value",
        "score": "value",
        "timestamp": "answered_at",
        "showing": "repeat",
    },
    names=("item", "rater", "dimension"),
    extra="drop",
)
ITEMS = Columns(
    required=("item",),
    optional=("prompt", "prompt_id", "method"),
    aliases={
        "image": "item",
        "key": "item",
        "item_key": "item",
        "text": "prompt",
        "prompt_text": "prompt",
        "prompt_key": "prompt_id",
        "model": "method",
        "t2i_model": "method",
        "generator": "method",
        "system": "method",
    },
    names=("item", "prompt", "prompt_id", "method"),
)
SCORES = Columns(
    required=("item", "metric", "value"),
    optional=("version",),
    aliases={
        "image": "item",
        "key": "item",
        "image_key": "item",
        "sha256": "item",
        "file": "item",
        "file_name": "item",
        "score": "value",
        "metric_version": "version",
    },
    names=("item", "metric", "version"),
    extra="drop",
)
