"""Shared by CLIPScore, ImageReward and BLIP-VQA: the device, and the version under which scores are stored."""

from collections.abc import Mapping
from typing import Any, ClassVar

from generation.engines import torchvision_schema
from generation.engines.device import versions
from generation.engines.metrics import options as metric_options
from generation.engines.metrics.options import Place
from generation.recipes.contract import Json, Unusable
from generation.recipes.engine_spec import Surroundings


class LocalMetric:
    """A metric that computes in this process. A subclass loads its network, then calls `_file_under`."""

    engine: ClassVar[str]
    """Its name in runs."""
    plain: ClassVar[Mapping[str, Any]]
    """The options that can change a score, with their usual values."""
    packages: ClassVar[tuple[str, ...]]
    """The packages whose versions can change a score; the first one is part of the metric's version."""
    version: str
    identity: Json

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        torchvision_schema.prepare()
        self._options = options
        self._place = Place.of(options, surroundings)

    @property
    def batch_size(self) -> int:
        return self._place.batch_size

    def _file_under(self, label: str, weights: str, *, before: Json | None = None, after: Json | None = None) -> None:
        """Set `version` and `identity` from the model's name, what its weights are, and further facts."""
        installed = versions(*self.packages)
        package = self.packages[0]
        text = f"{label}, {package.removesuffix('_torch')} {installed[package]}"
        self.version = metric_options.version(text, self._options, self.plain)
        self.identity = {
            "engine": self.engine,
            "model": label,
            "weights": weights,
            **(before or {}),
            **self._place.facts(),
            **(after or {}),
            "versions": installed,
        }


def bert_tokens(vocabulary: Any, *, n_words: int, problem: str, cure: str) -> Any:
    """BERT's tokenizer of a vocabulary (a file's name, or words with their numbers) for one of BLIP's text encoders.

    n_words  of the encoder; BLIP added two words to BERT's, which no vocabulary file has
    Raises Unusable with `problem` and `cure` for another vocabulary.
    """
    from transformers import BertTokenizer

    tokens = BertTokenizer(vocabulary, do_lower_case=True)
    if len(tokens) != n_words - 2:
        raise Unusable(problem, cure)
    return tokens
