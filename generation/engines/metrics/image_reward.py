"""ImageReward: a prediction of what people think of an image for a prompt, learnt from their comparisons.

Xu et al. 2023, ImageReward: Learning and Evaluating Human Preferences for Text-to-Image Generation. The published
checkpoint runs on transformers' own BLIP classes: its own package cannot be imported next to them any more.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from generation.engines.device import memory_watched
from generation.engines.metrics import image_reward_weights
from generation.engines.metrics import options as metric_options
from generation.engines.metrics.image_input import (
    constant_batches,
    middle_square,
    pixel_values,
    read_image,
    to_tensor,
)
from generation.engines.metrics.local_metric import LocalMetric, bert_tokens
from generation.engines.metrics.options import COMMON, RANDOM
from generation.engines.metrics.unknown_words import unknown_words
from generation.engines.packages import missing_packages
from generation.engines.weights import locate_file, sha256
from generation.recipes.contract import Missing, Scored, ScoreRequest, Unusable
from generation.recipes.engine_spec import Surroundings

MODEL, REVISION = "zai-org/ImageReward", "5736be03b2652728fb87788c9797b0570450ab72"
VOCABULARY, VOCABULARY_REVISION = "google-bert/bert-base-uncased", "86b5e0934494bd15c9632b12f734a8a67f723594"
MEAN, DEVIATION = 0.16717362830052426, 1.0333394966054072  # of the rewards that it was trained on
MOST_TOKENS = 35
_PLAIN = {"dtype": "fp32"}


def missing(options: Mapping[str, Any], surroundings: Surroundings) -> list[Missing]:
    """What is not here. Options:

    model, revision                  "tiny"; the published ImageReward.pt as a file, or a folder or hub id that has it
    vocabulary, vocabulary_revision  BERT's vocab.txt (uncased) as a file, or a folder or hub id that has it
    dtype, batch_size, threads       as in metric_options
    """
    metric_options.check_common(options, surroundings, (*COMMON, "vocabulary", "vocabulary_revision"))
    lacking = missing_packages("torch", "transformers")
    if options.get("model") == "tiny":
        return lacking
    return lacking + [place for place in _places(options) if isinstance(place, Missing)]


def load(options: Mapping[str, Any], surroundings: Surroundings) -> "ImageReward":
    """The metric, ready. Raises Unusable for a bad option, and for weights that are not ImageReward's."""
    return ImageReward(options, surroundings)


class ImageReward(LocalMetric):
    """(reward − mean) / deviation over its training data: about −2.5 … 2, higher is better."""

    name = "ImageReward"
    engine, plain, packages = "image-reward", _PLAIN, ("transformers", "torch")

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        super().__init__(options, surroundings)
        with memory_watched():
            state, vocabulary, label, weights = _weights(options)
            self._network = image_reward_weights.build(state, label)
            for part in self._network.parts:
                part.to(device=self._place.device, dtype=self._place.dtype).eval()
        self._tokens = bert_tokens(
            vocabulary,
            n_words=self._network.text.config.vocab_size,
            problem=f"The vocabulary is not {label}'s.",
            cure=f"Use vocab.txt of {VOCABULARY}.",
        )
        self._file_under(label, weights)

    def score(self, requests: Sequence[ScoreRequest]) -> list[Scored]:
        """One score per request, independent of the others. facts: the unseen parts of the image or the prompt."""
        side = self._network.side
        scored = []
        for batch, n_real in constant_batches(requests, self.batch_size):
            images, notes = [], []
            for request in batch:
                image, changes = read_image(request.image)
                square, cut = middle_square(image, side)
                images.append(pixel_values(square))
                notes.append(changes + cut + self._unread(request.prompt))
            rewards = self._rewards(images, [request.prompt for request in batch])
            pairs = list(zip(rewards, notes, strict=True))[:n_real]
            scored += [Scored((reward - MEAN) / DEVIATION, {"notes": note}) for reward, note in pairs]
        return scored

    def _rewards(self, images: list[Any], prompts: list[str]) -> list[float]:
        device = self._place.device
        with self._place.computing():
            words = self._tokens(
                prompts, padding="max_length", truncation=True, max_length=MOST_TOKENS, return_tensors="pt"
            )
            seen = self._network.vision(to_tensor(images, device, self._place.dtype)).last_hidden_state
            read = self._network.text(
                words["input_ids"].to(device),
                attention_mask=words["attention_mask"].to(device),
                encoder_hidden_states=seen,
            ).last_hidden_state
            return cast("list[float]", self._network.head(read[:, 0]).squeeze(1).double().tolist())

    def _unread(self, prompt: str) -> list[str]:
        n_tokens = len(self._tokens(prompt)["input_ids"])
        notes = [f"the prompt has {n_tokens} tokens, and {MOST_TOKENS} were read"] if n_tokens > MOST_TOKENS else []
        return notes + unknown_words(self._tokens, [prompt])


def _places(options: Mapping[str, Any]) -> list[Any]:
    """The files of the weights and of the vocabulary, or the missing ones."""
    model, vocabulary = options.get("model", MODEL), options.get("vocabulary", VOCABULARY)
    revision = options.get("revision", REVISION if model == MODEL else "")
    words_revision = options.get("vocabulary_revision", VOCABULARY_REVISION if vocabulary == VOCABULARY else "")
    return [locate_file(model, revision, "ImageReward.pt"), locate_file(vocabulary, words_revision, "vocab.txt")]


def _weights(options: Mapping[str, Any]) -> tuple[dict[str, Any], Any, str, str]:
    """The tensors, the vocabulary (a file's name, or words with their numbers), a name, and what the weights are."""
    if options.get("model") == "tiny":
        from generation.engines.tiny import metrics as tiny_metrics

        return tiny_metrics.image_reward_state(), tiny_metrics.vocabulary(), "tiny", RANDOM
    file, words = _places(options)
    for place in (file, words):
        if isinstance(place, Missing):
            raise Unusable(f"Missing: {place.what}.", place.cure)
    digest = sha256(file)
    weights = f"sha256:{digest}, vocabulary sha256:{sha256(words)}"
    return image_reward_weights.read(file), str(words), f"ImageReward-v1.0@{digest[:12]}", weights
