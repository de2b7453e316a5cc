"""All kinds of question, by `Dimension.Kind`."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotations.kinds.base import QuestionKind
from annotations.kinds.choices import Comment, Many
from annotations.kinds.decomposition import Parts
from annotations.kinds.levels import BestWorst, Choice, Ranking, Scale, Slider
from annotations.kinds.places import Places
from annotations.kinds.words import Words
from annotations.models import Dimension

_ALL: tuple[QuestionKind, ...] = (
    *(Scale(), Choice(), Ranking(), BestWorst(), Slider()),
    *(Many(), Comment(), Words(), Parts(), Places()),
)
KINDS: Mapping[str, QuestionKind] = {str(kind.key): kind for kind in _ALL}


def kind_of(dimension: Dimension) -> QuestionKind:
    return KINDS[dimension.kind]


def with_levels(dimensions: Sequence[Dimension]) -> list[Dimension]:
    """The questions whose answers are levels, which statistics of scales accept."""
    return [dimension for dimension in dimensions if kind_of(dimension).has_levels]


def frozen_of(dimensions: Sequence[Dimension], prompts: Sequence[int]) -> dict[int, dict[str, Any]]:
    """For each prompt, what its items store for these questions: `Item.frozen`. Raises ValidationError, see the
    kinds."""
    found: dict[int, dict[str, Any]] = {}
    for kind in {dimension.kind for dimension in dimensions}:
        for prompt, kept in KINDS[kind].frozen(prompts).items():
            found.setdefault(prompt, {})[kind] = kept
    return found
