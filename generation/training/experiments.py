"""`python -m generation.training.experiments NAME`: the questions that DetailScribe leaves open, for the small model.

Each prints a section for docs/experiments.md, and puts it there with --into. Everything follows from the seed.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from generation.engines.torchvision_schema import prepare

prepare()

from generation.engines.registry import load  # noqa: E402
from generation.recipes.contract import ScoreRequest  # noqa: E402
from generation.recipes.decomposition.decomposition import Decomposition  # noqa: E402
from generation.recipes.engine_spec import EngineSpec  # noqa: E402
from generation.recipes.scenes.scene import CATEGORIES  # noqa: E402
from generation.recipes.scenes.variation import retell  # noqa: E402
from generation.training.clip import change_a_word  # noqa: E402
from generation.training.studio import (  # noqa: E402
    HERE,
    Shot,
    Studio,
    correlation,
    critic_of,
    criticise,
    gain,
    is_right,
    ratio,
    share,
)

STEPS_BACK = (0, 1, 2, 4, 8)
PLANTED = (0.0, 0.25, 0.5, 0.75, 1.0)
_HEAD = ("Condition", "Whole scenes right", "Share of what was asked for", "Gain of that share over the baseline")


def methods(studio: Studio) -> str:
    """Baseline, a rewrite and DetailScribe, by category."""
    base = studio.baselines()
    told = {
        "baseline": base,
        "rewrite": studio.draw(studio.seeds, [retell(prompt.scene) for prompt in studio.prompts]),
        "second try, other seed": studio.draw([s + 5_000 for s in studio.seeds], [p.text for p in studio.prompts]),
        "DetailScribe T−2": studio.refined(base, 2),
    }
    parts = [_table(told, base)]
    for category in CATEGORIES:
        chosen = [n for n, prompt in enumerate(studio.prompts) if prompt.category == category]
        some = {name: [shots[n] for n in chosen] for name, shots in told.items()}
        parts.append(f"{category.capitalize()} ({len(chosen)} prompts):\n\n{_table(some, some['baseline'])}")
    return "\n\n".join(parts)


def how_far_back(studio: Studio) -> str:
    """Steps T − k with the critic's corrections, each against going back as far with the same prompt."""
    base = studio.baselines()
    told = {"baseline": base}
    for k in STEPS_BACK:
        told[f"T−{k}, refined prompt"] = studio.refined(base, k)
        told[f"T−{k}, same prompt"] = studio.again(base, [shot.prompt.text for shot in base], k)
    return _table(told, base)


def decomposition(studio: Studio) -> str:
    """The looking critic with the prompt's parts, and without: then it knows of no relations."""
    base = studio.baselines()
    told = {"baseline": base, "with decomposition": studio.refined(base)}
    told["without decomposition"] = studio.refined(base, structured=False)
    return _table(told, base)


def rounds(studio: Studio) -> str:
    """One to four rounds, each from the drawing of the round before."""
    shots = studio.baselines()
    told = {"baseline": shots}
    for number in range(1, 5):
        shots = studio.refined(shots)
        told[f"round {number}"] = shots
    return _table(told, told["baseline"])


def seed_search(studio: Studio) -> str:
    """The best of four seeds by the answerer that looks, then DetailScribe from there."""
    tries = [studio.baselines()]
    for number in range(1, 4):
        tries.append(studio.draw([s + 5_000 * number for s in studio.seeds], [p.text for p in studio.prompts]))
    answerer = load(EngineSpec("scenes-vqa"), HERE)
    scores = [answerer.score([_question(shot) for shot in shots]) for shots in tries]
    best = [
        max(range(len(tries)), key=lambda number, at=at: scores[number][at].value)  # type: ignore[misc]
        for at in range(len(studio.prompts))
    ]
    chosen = [tries[number][at] for at, number in enumerate(best)]
    told = {"baseline": tries[0], "DetailScribe T−2": studio.refined(tries[0]), "best of four seeds": chosen}
    told["best of four seeds, then DetailScribe T−2"] = studio.refined(chosen)
    return _table(told, tries[0])


def critic(studio: Studio) -> str:
    """How often critics are right, and what refinement gains, with errors planted among the claims."""
    base = studio.baselines()
    others = [*base[1:], base[0]]
    lines = ["| Critic | Claims | Precision | Recall |", "|---|---|---|---|"]
    critics: list[tuple[str, dict[str, object], bool]] = [
        ("looking", {}, False),
        ("looking, shown the next prompt's image", {}, True),
        ("blind", {"looks": False}, False),
        ("blind, shown the next prompt's image", {"looks": False}, True),
    ]
    for part in PLANTED[1:]:
        critics.append((f"looking, {part:.0%} planted", {"planted": part}, False))
    for name, options, wrong in critics:
        lines.append(f"| {name} | {_reliability(base, others if wrong else base, options)} |")
    told = {"baseline": base}
    told["same prompt, T−2"] = studio.again(base, [shot.prompt.text for shot in base], 2)
    for part in PLANTED:
        told[f"{part:.0%} planted"] = studio.refined(base, planted=part) if part else studio.refined(base)
    told["blind critic"] = studio.refined(base, looks=False)
    return "\n".join(lines) + "\n\n" + _table(told, base)


def misread(studio: Studio) -> str:
    """Drawn from the prompt with one word changed, as if it had been misread; then refined as far back as may be."""
    base, wrong = _misread(studio)
    right = [prompt.text for prompt in studio.prompts]
    told = {"drawn from a wrong word": base, "T−2, the wrong word again": studio.again(base, wrong, 2)}
    told["T−2, the prompt itself, no critic"] = studio.again(base, right, 2)
    for k in (0, 2, 4, 8, 12):
        told[f"T−{k}, looking critic"] = studio.refined(base, k)
    told["T−2, looking critic, 50% planted"] = studio.refined(base, planted=0.5)
    told["T−2, blind critic"] = studio.refined(base, looks=False)
    return _table(told, base)


def metrics(studio: Studio) -> str:
    """CLIPScore of the small CLIP and the answerer that looks, against the true share of what was asked for.

    Of each prompt two drawings, both held against it: one from the prompt, one from a text with a wrong word.
    """
    shots = [*studio.baselines(), *_misread(studio)[0]]
    true = [shot.marked.satisfied for shot in shots]
    lines = ["| Metric | Rank correlation with the true share |", "|---|---|"]
    for spec in (EngineSpec("clip-score", {"model": "scenes"}), EngineSpec("scenes-vqa")):
        metric = load(spec, HERE)
        scores = [scored.value for scored in metric.score([_question(shot) for shot in shots])]
        lines.append(f"| {metric.name} | {correlation(scores, true, len(studio.prompts))} |")
    return "\n".join(lines)


EXPERIMENTS: dict[str, tuple[str, Callable[[Studio], str]]] = {
    "methods": ("Baseline against DetailScribe", methods),
    "how-far-back": ("How far back: t' = T − k", how_far_back),
    "decomposition": ("With and without decomposition", decomposition),
    "rounds": ("One to four rounds", rounds),
    "seed-search": ("Seed search", seed_search),
    "critic": ("The critic as the bound", critic),
    "misread": ("Prompts that were misread", misread),
    "metrics": ("Metrics against the truth", metrics),
}


def _misread(studio: Studio) -> tuple[list[Shot], list[str]]:
    """A drawing of every prompt from a text with one wrong word, and those texts."""
    rng = np.random.default_rng(1)
    wrong = [change_a_word(prompt.text, rng) for prompt in studio.prompts]
    return studio.draw(studio.seeds, wrong), wrong


def _question(shot: Shot) -> ScoreRequest:
    graph = Decomposition.from_json(shot.prompt.decomposition())
    return ScoreRequest(shot.drawn.png, shot.prompt.text, tuple(graph.questions()))


def _reliability(shots: Sequence[Shot], shown: Sequence[Shot], options: dict[str, object]) -> str:
    made = critic_of(**options)
    claims, errors = [], []
    for shot, seen in zip(shots, shown, strict=True):
        said = criticise(made, shot, image=seen.drawn.png).claims
        right = [claim for claim in said if is_right(claim, shot)]
        claims.append((len(right), len(said)))
        named = {(claim.kind, claim.about) for claim in right}
        errors.append((min(len(named), len(shot.checked.errors)), len(shot.checked.errors)))
    return f"{sum(n for _, n in claims)} | {ratio(claims)} | {ratio(errors)}"


def _table(told: dict[str, list[Shot]], base: Sequence[Shot]) -> str:
    before = [shot.marked.satisfied for shot in base]
    lines = [f"| {' | '.join(_HEAD)} |", "|---" * len(_HEAD) + "|"]
    for name, shots in told.items():
        after = [shot.marked.satisfied for shot in shots]
        whole = share([float(shot.checked.is_right) for shot in shots])
        lines.append(f"| {name} | {whole} | {share(after)} | {'' if shots is base else gain(after, before)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m generation.training.experiments", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*EXPERIMENTS, []], metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("--count", type=int, default=96, help="held-out prompts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--into", type=Path, help="a Markdown file with the sections' marks: <!-- NAME --> … <!-- end -->"
    )
    asked = parser.parse_args()
    began = time.monotonic()
    studio = Studio(
        asked.count, asked.seed, lambda line: sys.stderr.write(f"{time.monotonic() - began:.0f} s: {line}\n")
    )
    for name in asked.names or EXPERIMENTS:
        title, make = EXPERIMENTS[name]
        section = f"## {title}\n\n`python -m generation.training.experiments {name} --count {asked.count}`\n\n"
        section += make(studio)
        sys.stdout.write(f"{section}\n\n")
        sys.stdout.flush()
        if asked.into:
            put_into(asked.into, name, section)


def put_into(file: Path, name: str, section: str) -> None:
    """Replace what is between the marks of a section. Raises ValueError where the file has none."""
    text = file.read_text()
    marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not marked.search(text):
        raise ValueError(f"{file} has no place for the section {name}: write <!-- {name} --> and <!-- end -->.")
    file.write_text(marked.sub(lambda found: f"{found[1]}{section}\n{found[2]}", text))


if __name__ == "__main__":
    main()
