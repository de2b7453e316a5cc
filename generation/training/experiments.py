"""`python -m generation.training.experiments NAME`: the questions that DetailScribe leaves open, for the small model.

Each has the product analyse what the independent check sees (`manage.py analyze`, and `analyze_critic` for claims),
prints a section for docs/experiments.md with tables from that report, and puts it there with --into. Everything
follows from the seed.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from generation.training.product_tables import (  # noqa: E402
    Seen,
    SeenClaim,
    analyse,
    analyse_claims,
    conditions_table,
    critics_precision,
    metrics_table,
)
from generation.training.studio import HERE, Shot, Studio, critic_of, criticise, is_right, ratio  # noqa: E402

STEPS_BACK = (0, 1, 2, 4, 8)
PLANTED = (0.0, 0.25, 0.5, 0.75, 1.0)
Conditions = dict[str, list[Shot]]


@dataclass(frozen=True)
class Bench:
    """What an experiment works with. folder: where the product's reports go; is_quick: without what is typeset."""

    studio: Studio
    folder: Path
    is_quick: bool = False

    def table(self, shown: Conditions, part: str = "conditions") -> str:
        """The table of the product's report on these conditions, of which the first is the baseline."""
        seen = [
            Seen(shot.prompt.key, name, shot.marked.satisfied, shot.checked.is_right)
            for name, shots in shown.items()
            for shot in shots
        ]
        return conditions_table(analyse(seen, next(iter(shown)), self.folder / part, quick=self.is_quick), [*shown])


def methods(bench: Bench) -> str:
    """Baseline, a rewrite and DetailScribe, by category."""
    studio = bench.studio
    base = studio.baselines()
    shown = {
        "baseline": base,
        "rewrite": studio.draw(studio.seeds, [retell(prompt.scene) for prompt in studio.prompts]),
        "second try, other seed": studio.draw([s + 5_000 for s in studio.seeds], [p.text for p in studio.prompts]),
        "DetailScribe T−2": studio.refined(base, 2),
    }
    parts = [bench.table(shown)]
    for category in CATEGORIES:
        chosen = [n for n, prompt in enumerate(studio.prompts) if prompt.category == category]
        some = {name: [shots[n] for n in chosen] for name, shots in shown.items()}
        table = bench.table(some, category.replace(" ", "-"))
        parts.append(f"{category.capitalize()} ({len(chosen)} prompts):\n\n{table}")
    return "\n\n".join(parts)


def how_far_back(bench: Bench) -> str:
    """Steps T − k with the critic's corrections, each against going back as far with the same prompt."""
    base = bench.studio.baselines()
    shown = {"baseline": base}
    for k in STEPS_BACK:
        shown[f"T−{k}, refined prompt"] = bench.studio.refined(base, k)
        shown[f"T−{k}, same prompt"] = bench.studio.again(base, [shot.prompt.text for shot in base], k)
    return bench.table(shown)


def decomposition(bench: Bench) -> str:
    """The looking critic with the prompt's parts, and without: then it knows of no relations."""
    base = bench.studio.baselines()
    shown = {"baseline": base, "with decomposition": bench.studio.refined(base)}
    shown["without decomposition"] = bench.studio.refined(base, structured=False)
    return bench.table(shown)


def rounds(bench: Bench) -> str:
    """One to four rounds, each from the drawing of the round before."""
    shots = bench.studio.baselines()
    shown = {"baseline": shots}
    for number in range(1, 5):
        shots = bench.studio.refined(shots)
        shown[f"round {number}"] = shots
    return bench.table(shown)


def seed_search(bench: Bench) -> str:
    """The best of four seeds by the answerer that looks, then DetailScribe from there."""
    studio = bench.studio
    tries = [studio.baselines()]
    for number in range(1, 4):
        tries.append(studio.draw([s + 5_000 * number for s in studio.seeds], [p.text for p in studio.prompts]))
    answerer = load(EngineSpec("scenes-vqa"), HERE)
    scores = [answerer.score([_question(shot) for shot in shots]) for shots in tries]
    best = [
        max(range(len(tries)), key=lambda number, at=at: scores[number][at].value)  # type: ignore[misc]  # at is bound
        for at in range(len(studio.prompts))
    ]
    chosen = [tries[number][at] for at, number in enumerate(best)]
    shown = {"baseline": tries[0], "DetailScribe T−2": studio.refined(tries[0]), "best of four seeds": chosen}
    shown["best of four seeds, then DetailScribe T−2"] = studio.refined(chosen)
    return bench.table(shown)


def critic(bench: Bench) -> str:
    """How often critics are right, and what refinement gains, with errors planted among the claims."""
    studio = bench.studio
    base = studio.baselines()
    others = [*base[1:], base[0]]
    critics: list[tuple[str, dict[str, object], bool]] = [
        ("looking", {}, False),
        ("looking, shown the next prompt's image", {}, True),
        ("blind", {"looks": False}, False),
        ("blind, shown the next prompt's image", {"looks": False}, True),
    ]
    for part in PLANTED[1:]:
        critics.append((f"looking, {part:.0%} planted", {"planted": part}, False))
    claims: list[SeenClaim] = []
    recalls = {}
    for name, options, is_control in critics:
        made, recalls[name] = _claims(name, base, others if is_control else base, options, is_control=is_control)
        claims += made
    precision = critics_precision(analyse_claims(claims, bench.folder, quick=bench.is_quick))
    lines = ["| Critic | Claims | Precision | Recall |", "|---|---|---|---|"]
    for name, recall in recalls.items():
        n_claims = sum(claim.critic == name for claim in claims)
        lines.append(f"| {name} | {n_claims} | {precision.get(name, '–')} | {recall} |")
    shown = {"baseline": base}
    shown["same prompt, T−2"] = studio.again(base, [shot.prompt.text for shot in base], 2)
    for part in PLANTED:
        shown[f"{part:.0%} planted"] = studio.refined(base, planted=part) if part else studio.refined(base)
    shown["blind critic"] = studio.refined(base, looks=False)
    return "\n".join(lines) + "\n\n" + bench.table(shown)


def misread(bench: Bench) -> str:
    """Drawn from the prompt with one word changed, as if it had been misread; then refined as far back as may be."""
    studio = bench.studio
    base, wrong = _misread(studio)
    right = [prompt.text for prompt in studio.prompts]
    shown = {"drawn from a wrong word": base, "T−2, the wrong word again": studio.again(base, wrong, 2)}
    shown["T−2, the prompt itself, no critic"] = studio.again(base, right, 2)
    for k in (0, 2, 4, 8, 12):
        shown[f"T−{k}, looking critic"] = studio.refined(base, k)
    shown["T−2, looking critic, 50% planted"] = studio.refined(base, planted=0.5)
    shown["T−2, blind critic"] = studio.refined(base, looks=False)
    return bench.table(shown)


def metrics(bench: Bench) -> str:
    """CLIPScore of the small CLIP and the answerer that looks, against the true share of what was asked for.

    Of each prompt two drawings, both held against it: one from the prompt, one from a text with a wrong word.
    """
    shown = {"baseline": bench.studio.baselines(), "drawn from a wrong word": _misread(bench.studio)[0]}
    shots = [(name, shot) for name, drawn in shown.items() for shot in drawn]
    scores: dict[str, list[float]] = {}
    for spec in (EngineSpec("clip-score", {"model": "scenes"}), EngineSpec("scenes-vqa")):
        metric = load(spec, HERE)
        scores[metric.name] = [scored.value for scored in metric.score([_question(shot) for _, shot in shots])]
    seen = [
        Seen(
            shot.prompt.key,
            name,
            shot.marked.satisfied,
            shot.checked.is_right,
            {metric: values[at] for metric, values in scores.items()},
        )
        for at, (name, shot) in enumerate(shots)
    ]
    return metrics_table(analyse(seen, "baseline", bench.folder / "conditions", quick=bench.is_quick))


EXPERIMENTS: dict[str, tuple[str, Callable[[Bench], str]]] = {
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


def _claims(
    name: str, shots: Sequence[Shot], shown: Sequence[Shot], options: dict[str, object], *, is_control: bool
) -> tuple[list[SeenClaim], str]:
    """What a critic claims, and the share of true errors that its claims name."""
    made = critic_of(**options)
    claims, errors = [], []
    for shot, seen in zip(shots, shown, strict=True):
        said = criticise(made, shot, image=seen.drawn.png).claims
        claims += [SeenClaim(name, shot.prompt.key, one.text, is_right(one, shot), is_control) for one in said]
        named = {(one.kind, one.about) for one in said if is_right(one, shot)}
        errors.append((min(len(named), len(shot.checked.errors)), len(shot.checked.errors)))
    return claims, ratio(errors)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m generation.training.experiments", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*EXPERIMENTS, []], metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("--count", type=int, default=96, help="held-out prompts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("experiments"), help="folder for the product's reports")
    parser.add_argument("--quick", action="store_true", help="reports without PDF, Word files and single figures")
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
        section += make(Bench(studio, asked.out / name, asked.quick))
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
