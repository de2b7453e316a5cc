"""BLIP-VQA: how sure BLIP is that an image shows the things in question, as a metric and as an answerer.

Huang et al. 2023, T2I-CompBench, section 4.1 and the released code, which DetailScribe uses: for each noun phrase of
the prompt "phrase?" is asked; the score is the product of the probabilities of "yes". Questions of a decomposition can
be asked the same way.
"""

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from PIL import Image

from generation.engines.device import check_choice, memory_watched
from generation.engines.metrics import noun_chunks
from generation.engines.metrics import options as metric_options
from generation.engines.metrics.image_input import constant_batches, pixel_values, read_image, to_tensor
from generation.engines.metrics.local_metric import LocalMetric, bert_tokens
from generation.engines.metrics.options import COMMON, RANDOM
from generation.engines.metrics.unknown_words import unknown_words
from generation.engines.packages import missing_packages
from generation.engines.weights import locate, pick, sha256
from generation.recipes.contract import EngineError, Missing, Scored, ScoreRequest, Unusable
from generation.recipes.engine_spec import Surroundings
from generation.recipes.english.noun_phrases import noun_phrase_questions

MODEL, REVISION = "Salesforce/blip-vqa-base", "787b3d35d57e49572baabd22884b3d5a05acf072"
MOST_TOKENS, MOST_WORDS = 35, 50
_PLAIN = {"dtype": "fp32", "questions": "phrases", "phrases": "rules"}
QUESTIONS, PHRASES = ("phrases", "decomposition"), ("rules", "spacy")
_WAYS_TO_ASK = {"questions": QUESTIONS, "phrases": PHRASES}
_WEIGHTS = "model.safetensors|pytorch_model.bin"
_FILES = ("config.json", _WEIGHTS, "vocab.txt")


def missing(options: Mapping[str, Any], surroundings: Surroundings) -> list[Missing]:
    """What is not here. Options:

    model, revision  "tiny"; a BLIP for question answering, a folder or hub id (Salesforce/blip-vqa-base by default)
    questions        "phrases": the prompt's noun phrases, as published; "decomposition": the questions of the prompt's
                     decomposition, which the run then makes
    phrases          "rules": this project's own rules; "spacy": spaCy's noun chunks, as published
    dtype, batch_size, threads  as in metric_options
    """
    metric_options.check_common(options, surroundings, (*COMMON, *_WAYS_TO_ASK))
    lacking = missing_packages("torch", "transformers")
    for name, valid in _WAYS_TO_ASK.items():
        check_choice(name, options.get(name, valid[0]), valid)
    if options.get("phrases") == "spacy":
        lacking += noun_chunks.missing()
    if options.get("model") == "tiny":
        return lacking
    place = locate(*_named(options), _FILES)
    return [*lacking, place] if isinstance(place, Missing) else lacking


def load(options: Mapping[str, Any], surroundings: Surroundings) -> "BlipVqa":
    """The metric and answerer, ready. Raises Unusable for a bad option, and for a model of another kind."""
    return BlipVqa(options, surroundings)


class BlipVqa(LocalMetric):
    """The product of P(yes) / (P(yes) + P(no)) over the questions: 0 … 1, higher is better.

    The hub's conversion of BLIP sees 384 × 384 pixels, where T2I-CompBench's code gives the same weights 480 × 480:
    scores are near the published ones, not the same.
    """

    name = "BLIP-VQA"
    engine, plain, packages = "blip-vqa", _PLAIN, ("transformers", "torch")

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        super().__init__(options, surroundings)
        with memory_watched():
            network, vocabulary, label, weights = _loaded(options)
            self._network = network.to(device=self._place.device, dtype=self._place.dtype).eval()
        problem, cure = f"The vocabulary of {label} is not BLIP's.", f"Use {MODEL}, or a model made from it."
        words = self._network.config.text_config.vocab_size
        self._tokens = bert_tokens(vocabulary, n_words=words, problem=problem, cure=cure)
        # The two words that BLIP added: one starts an answer, the other a question.
        self._start_of_answer, self._start_of_question = words - 2, words - 1
        self._yes, self._no = (self._tokens.convert_tokens_to_ids(word) for word in ("yes", "no"))
        if self._tokens.unk_token_id in (self._yes, self._no):
            raise Unusable(problem, cure)
        self._chunks = noun_chunks.NounChunks() if options.get("phrases") == "spacy" else None
        self._file_under(label, weights, after={"phrases": self._chunks.facts if self._chunks else "rules"})

    def score(self, requests: Sequence[ScoreRequest]) -> list[Scored]:
        """One score per request, independent of the other requests.

        facts: the questions, where they come from ("request", "noun phrases", "noun chunks by spaCy" or "prompt"), one
        probability for each.
        """
        asked = [self._questions(request) for request in requests]
        read = [read_image(request.image) for request in requests]
        answers = self._ask([image for image, _ in read], [questions for questions, _ in asked])
        return [
            Scored(
                prod(found),
                {
                    "questions": list(questions),
                    "from": source,
                    "probabilities": found,
                    "notes": notes + unknown_words(self._tokens, [_as_blip_reads(question) for question in questions]),
                },
            )
            for (questions, source), (_, notes), found in zip(asked, read, answers, strict=True)
        ]

    def _questions(self, request: ScoreRequest) -> tuple[tuple[str, ...], str]:
        """The questions, and their origin. Raises EngineError if there is nothing to ask."""
        if request.questions:
            return request.questions, "request"
        if self._chunks is not None and (chunks := self._chunks.questions(request.prompt)):
            return chunks, "noun chunks by spaCy"
        if self._chunks is None and (phrases := noun_phrase_questions(request.prompt)):
            return phrases, "noun phrases"
        if not request.prompt.strip():
            raise EngineError("BLIP-VQA has nothing to ask: no question, and an empty prompt.", "Give it a prompt.")
        return (f"{request.prompt.strip()}?",), "prompt"

    def probabilities(self, image: bytes, questions: Sequence[str]) -> list[float]:
        """P(yes) / (P(yes) + P(no)) for each question, in order."""
        return self._ask([read_image(image)[0]], [questions])[0]

    def _ask(self, images: Sequence[Any], questions: Sequence[Sequence[str]]) -> list[list[float]]:
        """The probabilities of each image's questions."""
        side = self._network.config.vision_config.image_size
        found = []
        with self._place.computing():
            for batch, n_real in constant_batches(list(zip(images, questions, strict=True)), self.batch_size):
                squeezed = [image.resize((side, side), Image.Resampling.BICUBIC) for image, _ in batch]
                pixels = to_tensor([pixel_values(image) for image in squeezed], self._place.device, self._place.dtype)
                seen = self._network.vision_model(pixels).last_hidden_state
                for place, (_, own) in enumerate(batch[:n_real]):
                    found.append([self._probability(seen[place : place + 1], question) for question in own])
        return found

    def _probability(self, seen: Any, question: str) -> float:
        """P(yes) / (P(yes) + P(no)) for one image, as the network sees it, and one question.

        One at a time: among questions of several lengths the shorter ones are padded, and transformers 5.23 lets the
        answer look at the padding (its BLIP drops the mask of the cross-attention), which changes it by percents.
        """
        import torch

        device = self._place.device
        ids = self._tokens(
            _as_blip_reads(question), truncation=True, max_length=MOST_TOKENS, return_tensors="pt"
        ).input_ids.to(device)
        ids[:, 0] = self._start_of_question
        understood = self._network.text_encoder(ids, encoder_hidden_states=seen).last_hidden_state
        start = torch.tensor([[self._start_of_answer]], device=device)
        logits = self._network.text_decoder(start, encoder_hidden_states=understood).logits[0, 0]
        # Of a softmax over all words, a / (a + b) is this, without losing digits where both are small.
        return float(torch.sigmoid((logits[self._yes] - logits[self._no]).double()))


def _as_blip_reads(question: str) -> str:
    """Lower case, without these signs, at most 50 words: what BLIP's own code does to a question."""
    return " ".join(re.sub(r'[.!"()*#:;~]', "", question.lower()).rstrip(" ").split(" ")[:MOST_WORDS])


def _named(options: Mapping[str, Any]) -> tuple[str, str]:
    model = options.get("model", MODEL)
    return model, options.get("revision", REVISION if model == MODEL else "")


def _loaded(options: Mapping[str, Any]) -> tuple[Any, Any, str, str]:
    """The network, the vocabulary (a file's name, or words with their numbers), a name, and what the weights are."""
    from transformers import BlipForQuestionAnswering

    model, revision = _named(options)
    if model == "tiny":
        from generation.engines.tiny import metrics as tiny_metrics

        return tiny_metrics.blip_vqa(), tiny_metrics.vocabulary(), "tiny", RANDOM
    folder = locate(model, revision, _FILES)
    if isinstance(folder, Missing):
        raise Unusable(f"Missing: {folder.what}.", folder.cure)
    digest = sha256(pick(folder, _WEIGHTS) or folder)
    try:
        with memory_watched():
            loaded: Any = BlipForQuestionAnswering.from_pretrained(
                folder, local_files_only=True, output_loading_info=True
            )
            network, report = loaded
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise Unusable(f"{model} cannot be loaded: {error}", f"Use {MODEL}, or a model made from it.") from error
    if lost := sorted(report["missing_keys"]):
        raise Unusable(f"{model} has no tensor {lost[0]} ({len(lost)} in all).", f"Take {MODEL}.")
    return network, str(folder / "vocab.txt"), f"{model}@{(revision or digest)[:12]}", f"sha256:{digest}"
