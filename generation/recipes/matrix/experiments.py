"""Experiments that are ready to start: the published comparisons, the questions they leave open, and a small try-out.

Pure data: methods by their keys in `methods.OFFERED`, with seeds, drawing, metrics, and how many prompts. Who starts
one says which engines read and see; `Experiment.matrix` puts everything together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from generation.recipes.engine_spec import QUESTIONS, RULES, EngineSpec
from generation.recipes.matrix.matrix import Matrix
from generation.recipes.matrix.methods import ACT2I_SEEDS, OFFERED, PAPER_SEED, Drawing

# The commits that are meant: a branch moves, and the images would with it.
SD35_LARGE = EngineSpec(
    "sd3",
    {"model": "stabilityai/stable-diffusion-3.5-large", "revision": "ceddf0a7fdf2064ea28e2213e3b84e4afa170a0f"},
)
# As AcT2I's code loads it: fp16, and the pipeline's default of 256 tokens for T5. SD3 attends to padding, so the length
# changes the image.
SD35_LARGE_OF_ACT2I = EngineSpec("sd3", {**SD35_LARGE.options, "t5_length": 256, "dtype": "fp16"})
SD35_MEDIUM = EngineSpec(
    "sd3",
    {"model": "stabilityai/stable-diffusion-3.5-medium", "revision": "b940f670f0eda2d07fbb75229e779da1ad11eb80"},
)
SD35_TURBO = EngineSpec(
    "sd3",
    {"model": "stabilityai/stable-diffusion-3.5-large-turbo", "revision": "ec07796fc06b096cc56de9762974a28f4c632eda"},
)
TINY = EngineSpec("sd3", {"model": "tiny"})
SCENES = EngineSpec("sd3", {"model": "scenes"})
LOOKING_CRITIC = EngineSpec("scenes-critic")
# The metrics' own defaults are the published weights.
PUBLISHED_METRICS = ("clip-score", "image-reward", "blip-vqa")


def tiny(engine: str) -> EngineSpec:
    """The same classes with small random weights: for trying the machinery, without meaning."""
    return EngineSpec(engine, {"model": "tiny"})


def of_scenes(engine: str) -> EngineSpec:
    """The same engine as trained on the demo's closed world, if there is one."""
    return EngineSpec(engine, {"model": "scenes"} if engine == "clip-score" else {})


def questions_critic(*, is_tiny: bool = False) -> EngineSpec:
    """A critic without a language model: it asks BLIP-VQA the decomposition's questions."""
    answerer = tiny("blip-vqa") if is_tiny else EngineSpec("blip-vqa")
    return EngineSpec(QUESTIONS, {"answerer": answerer.as_json()})


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    question   what it answers, in a sentence
    note       what to know before reading its result, or what to do with it
    n_prompts  how many, the first ones; None for all of the set
    category   which of the set's prompts, where the set has it
    reads      what decomposes and rewrites: "rules" do without a model, "chat" is a language model
    sees       the critic: "questions" to BLIP-VQA, "chat" a model that sees, "looking" the one of the demo's scenes;
               None where nothing is criticised
    """

    key: str
    title: str
    question: str
    methods: tuple[str, ...]
    note: str = ""
    seeds: tuple[int, ...] = (PAPER_SEED,)
    n_prompts: int | None = None
    category: str = ""
    image: EngineSpec = SD35_LARGE
    drawing: Drawing = field(default_factory=Drawing)
    reads: Literal["rules", "chat"] = "rules"
    sees: Literal["questions", "chat", "looking"] | None = "chat"
    metrics: tuple[str, ...] = PUBLISHED_METRICS

    @property
    def is_tiny(self) -> bool:
        return self.image.options.get("model") == "tiny"

    def matrix(self, *, language: EngineSpec | None = None, critic: EngineSpec | None = None) -> Matrix:
        """The experiment with these engines, or with those that need no language model.

        Raises BadMatrix where it needs one that is not given.
        """
        engines = {"image": self.image}
        if language is not None or self.reads == RULES:
            engines["language"] = language or EngineSpec(RULES)
        if self.sees == "looking":
            engines["critic"] = LOOKING_CRITIC
        elif critic is not None or self.sees == QUESTIONS:
            engines["critic"] = critic or questions_critic(is_tiny=self.is_tiny)
        return Matrix(
            methods=tuple(OFFERED[key] for key in self.methods),
            seeds=self.seeds,
            engines=engines,
            metrics={name: self._metric(name) for name in self.metrics},
            drawing=self.drawing,
        )

    def _metric(self, name: str) -> EngineSpec:
        if self.is_tiny:
            return tiny(name)
        return of_scenes(name) if self.image == SCENES else EngineSpec(name)


_EXPERIMENTS = (
    Experiment(
        key="tiny",
        title="Try the machinery",
        question="Does everything work here, from a prompt to a scored image?",
        note="Random weights of the size of a postage stamp: the images are noise. It takes a minute without a GPU.",
        methods=("baseline", "renoise-2", "switch-2"),
        n_prompts=4,
        image=TINY,
        drawing=Drawing(n_steps=6, guidance=4.5, width=64, height=64),
        sees="questions",
    ),
    Experiment(
        key="scenes",
        title="The small model of scenes",
        question="Does critique and refinement fix what a small real model gets wrong? On any machine, in minutes.",
        note="It draws coloured figures, as in the demo's prompts, and nothing else. The critic looks at the pixels.",
        methods=("baseline", "rewrite", "renoise-2", "switch-2"),
        image=SCENES,
        drawing=Drawing(n_steps=20, guidance=3.5, width=64, height=64),
        sees="looking",
        metrics=("clip-score", "scenes-vqa"),
    ),
    Experiment(
        key="detailscribe",
        title="SD3.5 against DetailScribe",
        question="Does critique and refinement help where things interact? The published comparison.",
        note="Meant for the functional part of InterActing: 28 steps, guidance 4.5, the paper's seed, t' = T−2.",
        methods=("baseline", "renoise-2"),
        category="functional",
        reads="chat",
    ),
    Experiment(
        key="how-far-back",
        title="T, T−2, T−4",
        question="How much of the image must be given up for the correction to take hold?",
        note="One prompt shows it; more of them show how it varies.",
        methods=("baseline", "renoise-0", "renoise-2", "renoise-4"),
        n_prompts=1,
        reads="chat",
    ),
    Experiment(
        key="decomposition",
        title="With and without decomposition",
        question="Is it the structure that helps, or would any critique do?",
        methods=("baseline", "renoise-2", "without-decomposition"),
        category="functional",
        reads="chat",
    ),
    Experiment(
        key="rounds",
        title="One to four rounds",
        question="Does a second, third or fourth refinement still improve the image?",
        note="Each round's critic sees the image of the round before; where it finds nothing wrong, the image stays.",
        methods=("baseline", "renoise-2", "renoise-2-rounds-2", "renoise-2-rounds-3", "renoise-2-rounds-4"),
        n_prompts=50,
        reads="chat",
    ),
    Experiment(
        key="seed-search",
        title="Seed search for a wrong first layout",
        question="If the first layout is wrong, is another seed a better start than a refinement?",
        note="The seed is chosen by BLIP-VQA, so its BLIP-VQA scores are too good. Judge by people or another metric.",
        methods=("baseline", "multi-seed", "renoise-2", "seed-search"),
        n_prompts=50,
        reads="chat",
    ),
    Experiment(
        key="critic-bound",
        title="The critic's reliability as the bound",
        question="How often is the critic right, with and without structure, and does refinement fail where it errs?",
        note="Make a study of the images and open its audit: people then judge both critics' claims, one by one.",
        methods=("baseline", "renoise-2", "without-decomposition"),
        n_prompts=50,
        reads="chat",
    ),
    Experiment(
        key="act2i",
        title="AcT2I: four kinds of prompts",
        question="Which added detail makes an action visible: of space, of time, or of feeling?",
        note="40 steps, guidance 3.5, seeds 42–45, fp16, 256 tokens for T5. "
        "Wordings that were imported with the prompts are used as they are.",
        methods=("baseline", "act2i-spatial", "act2i-temporal", "act2i-emotional"),
        seeds=ACT2I_SEEDS,
        image=SD35_LARGE_OF_ACT2I,
        drawing=Drawing(n_steps=40, guidance=3.5),
        reads="chat",
        sees=None,
    ),
    Experiment(
        key="released-code",
        title="What the released code does",
        question="How do its four switch steps compare, and how much of its gain comes from choosing the best?",
        note="Best-of-four takes the largest score of four drawings after looking: no fair rival of a single baseline.",
        methods=(
            "baseline",
            *(f"switch-{k}-old-pooled" for k in (0, 1, 2, 4)),
            "best-of-four",
        ),
        n_prompts=50,
        reads="chat",
    ),
)
EXPERIMENTS: Mapping[str, Experiment] = {experiment.key: experiment for experiment in _EXPERIMENTS}
