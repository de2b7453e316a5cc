"""Language models that run here, through transformers; vision models also take images.

The schema is enforced only by instructions: the answer is requested as JSON, checked, and requested again.
"""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from generation.engines.device import (
    DTYPES,
    check_choice,
    check_device_name,
    choose_device,
    device_facts,
    memory_watched,
    torch_dtype,
    versions,
)
from generation.engines.hub_cache import check_model, fingerprint, model_folder
from generation.engines.local_chat_files import Network, load_network, missing_files
from generation.engines.metrics.image_input import read_image
from generation.engines.option_check import checked
from generation.engines.packages import missing_packages
from generation.engines.remote.schema_answers import Said, Turn, ask_until_it_fits, in_words
from generation.engines.torchvision_schema import prepare
from generation.recipes.contract import (
    Answer,
    Call,
    ChatAnswer,
    ChatRequest,
    EngineError,
    Json,
    Missing,
    Unusable,
)
from generation.recipes.engine_spec import Surroundings

if TYPE_CHECKING:
    import torch

ENGINE = "local-chat"
TINY_MOST_TOKENS = 64  # the tiny model's nonsense need not be long


class Options(BaseModel):
    """What a researcher chooses.

    model, revision  "tiny" (random weights), a folder, or a hub id with the commit that pins it
    sees             only for "tiny": whether it takes images; other models' files say so
    reasks           how often an answer that does not fit is requested again
    most_tokens      a truncated answer is requested again with twice the tokens, up to this limit
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=())

    model: str
    revision: str | None = None
    sees: bool = True
    dtype: str = "auto"
    reasks: int = Field(default=2, ge=0, le=10)
    most_tokens: int = Field(default=8_000, ge=1)


def missing(options: Mapping[str, Any], surroundings: Surroundings) -> list[Missing]:
    """What is missing here. Raises Unusable for options that are not valid."""
    chosen = _read(options)
    check_device_name(surroundings.device)
    return missing_packages("torch", "transformers") + missing_files(chosen.model, chosen.revision)


def load(options: Mapping[str, Any], surroundings: Surroundings) -> "LocalChat":
    """The engine, its weights on the device. Raises Unusable or OutOfMemory."""
    chosen = _read(options)
    prepare()
    with memory_watched():
        device = choose_device(surroundings)
        dtype = torch_dtype(chosen.dtype, device)
        network = load_network(chosen.model, chosen.revision, tiny_sees=chosen.sees, dtype=dtype, device=device)
        return LocalChat(chosen, network, device, str(dtype).removeprefix("torch."))


def _read(options: Mapping[str, Any]) -> Options:
    chosen = checked(Options, options)
    check_model(chosen.model, chosen.revision)
    check_choice("dtype", chosen.dtype, DTYPES)
    if chosen.model != "tiny" and "sees" in options:
        raise Unusable("The option 'sees' is for the model \"tiny\" alone.", "Leave it out: the model's files say so.")
    return chosen


class LocalChat:
    """A language model in this process; some can see images. Its calls cost nothing."""

    def __init__(self, options: Options, network: Network, device: "torch.device", dtype: str) -> None:
        self._options, self._network, self._device = options, network, device
        self._most_tokens = (
            min(options.most_tokens, TINY_MOST_TOKENS) if options.model == "tiny" else options.most_tokens
        )
        self._has_system = _takes_system(network)
        self.identity: Json = {
            "engine": ENGINE,
            "model": options.model,
            **_weights(options),
            "class": type(network.model).__name__,
            "dtype": dtype,
            "reasks": options.reasks,
            "most_tokens": self._most_tokens,
            "versions": versions("torch", "transformers"),
            **device_facts(device),
        }

    def ask(self, request: ChatRequest[Answer]) -> ChatAnswer[Answer]:
        """Ask until the answer fits. Temperature 0 takes the likeliest token; else the seed decides (0 by default).

        Raises BadAnswer, OutOfMemory, Unusable if images are given to a model without vision, and EngineError
        for an image that cannot be read or a question longer than the model's context.
        """
        if request.images and not self._network.sees:
            raise Unusable(
                f"The model {self._options.model} does not see images.",
                'Choose one that does; of "tiny", set the option "sees" to true.',
            )
        images = [read_image(image)[0] for image in request.images]
        question = {"role": "user", "content": self._content(request.user, images)}
        system = f"{request.system}\n\n{in_words(request.schema)}"
        if self._has_system:
            opening = [{"role": "system", "content": self._content(system)}, question]
        else:
            opening = [question | {"content": self._content(f"{system}\n\n{request.user}", images)}]

        def say(turns: tuple[Turn, ...], max_tokens: int, calls: list[Call]) -> Said:
            messages = [*opening, *({"role": turn.role, "content": self._content(turn.text)} for turn in turns)]
            return self._say(messages, max_tokens, request, calls)

        return ask_until_it_fits(request, say, n_reasks=self._options.reasks, most_tokens=self._most_tokens)

    def _content(self, text: str, images: Sequence[Any] = ()) -> Any:
        """A message as a chat template takes it: text or, for a vision model, parts with images before the text."""
        if not self._network.sees:
            return text
        return [*({"type": "image", "image": image} for image in images), {"type": "text", "text": text}]

    def _say(self, messages: list[Json], max_tokens: int, request: ChatRequest[Any], calls: list[Call]) -> Said:
        started = time.monotonic()
        n_in = n_out = 0
        outcome = "out of memory"
        try:
            with memory_watched():
                inputs = self._network.processor.apply_chat_template(
                    messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
                )
                n_in = inputs["input_ids"].shape[1]
                limit = _context(self._network.model)
                if limit is not None and n_in + max_tokens > limit:
                    outcome = "too long"
                    raise EngineError(
                        f"{n_in} tokens and {max_tokens} for the answer are more than the model's {limit}.",
                        "Use a model with a longer context, a shorter prompt or fewer tokens for the answer.",
                    )
                tokens = self._generate(inputs, max_tokens, request)
        except EngineError:
            calls.append(self._call(outcome, n_in, 0, started))
            raise
        n_out = len(tokens)
        calls.append(self._call("ok", n_in, n_out, started))
        ends = self._network.model.generation_config.eos_token_id
        is_cut = n_out == max_tokens and tokens[-1] not in (ends if isinstance(ends, list) else [ends])
        return Said(self._network.tokenizer.decode(tokens, skip_special_tokens=True), is_cut)

    def _generate(self, inputs: Any, max_tokens: int, request: ChatRequest[Any]) -> list[int]:
        import torch

        model = self._network.model
        inputs = {
            name: value.to(self._device, model.dtype if value.is_floating_point() else value.dtype)
            for name, value in inputs.items()
        }
        choice: Json = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        if request.temperature > 0:
            choice = {"do_sample": True, "temperature": request.temperature, "top_p": 1.0, "top_k": 0}
        with torch.inference_mode(), torch.random.fork_rng(devices=_forked(self._device)):
            torch.manual_seed(request.seed or 0)
            done = model.generate(**inputs, max_new_tokens=max_tokens, **choice)
        tokens: list[int] = done[0, inputs["input_ids"].shape[1] :].tolist()
        return tokens

    def _call(self, outcome: str, n_in: int, n_out: int, started: float) -> Call:
        return Call(ENGINE, self._options.model, outcome, n_in, n_out, 0.0, time.monotonic() - started)


def _weights(options: Options) -> Json:
    if options.model == "tiny":
        return {"weights": "random, seed 0"}
    if options.revision is not None:
        return {"revision": options.revision}
    return {"weights": fingerprint(model_folder(options.model, None))}


def _takes_system(network: Network) -> bool:
    """Whether the chat template accepts a system message; some raise their own error for it."""
    parts: Any = [{"type": "text", "text": "x"}] if network.sees else "x"
    messages = [{"role": role, "content": parts} for role in ("system", "user")]
    try:
        network.processor.apply_chat_template(messages, tokenize=False)
    except Exception as error:
        if type(error).__name__ != "TemplateError":
            raise
        return False
    return True


def _context(model: Any) -> int | None:
    config = model.config.get_text_config()
    return getattr(config, "max_position_embeddings", None)


def _forked(device: "torch.device") -> list["torch.device"]:
    return [device] if device.type == "cuda" else []
