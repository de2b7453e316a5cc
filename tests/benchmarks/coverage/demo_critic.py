"""Coverage of the critic report's intervals on the demo study, whose truth is known by construction.

Each seed is one demo study of 60 prompts, audited by three simulated auditors who make no errors of their own and
list first on half of the images; its rows go the whole way of a study: settled verdicts, matched errors, audits,
figures. Printed is the share of seeds whose 95% interval over images holds the population's value.

python -m tests.benchmarks.coverage.demo_critic [seeds, 200 where omitted]
"""

import sys
from collections.abc import Iterator, Sequence

import numpy as np

from annotations import simulation
from annotations.reports.critic.analysis import CriticResults, Options, analyse_critics
from annotations.reports.critic.data import (
    FIXED,
    NO_ERROR,
    UNCHANGED,
    Claims,
    CriticData,
    Lists,
    Repairs,
    Verdicts,
)
from annotations.simulation import AuditorProfile, SimulatedAudits
from annotations.stats.critic.audit import CRITIC, WRONG_IMAGE
from annotations.stats.estimate import Estimate
from generation.recipes.scenes.critic import SceneClaim
from generation.recipes.scenes.demo import DemoStudy, demo

DETECTION, N_AUDITORS = 0.75, 3
PANEL = tuple(AuditorProfile(f"auditor {i}", 0.0, 0.0, 0.0, DETECTION, 0.0, 7000.0) for i in range(N_AUDITORS))
"""Auditors who judge rightly, list only real errors, and find each error with the same chance."""
FIRST_SEED = 10_000
FLOOR = 0.0772
"""Share of the control's claims that are right: `floor()`, 80 demo studies of 1,200 prompts each; ±0.0006."""
TRUTH = {
    "precision": 0.75,
    # Of errors that the critic or an auditor lists: claimed ones, and those missed that one of three finds.
    "recall": 0.70 / (0.70 + 0.30 * (1 - (1 - DETECTION) ** N_AUDITORS)),
    "recall_corrected": 0.70,
    "repair_rate": 0.80,
    "floor": FLOOR,
}
CODES = {"right": 0, "partly right": 1, "wrong": 2, "cannot tell": 3}


def demo_data(study: DemoStudy, panel: Sequence[AuditorProfile], seed: int) -> CriticData:
    """The study as audited by the panel, with every listed error matched rightly, and repairs judged without error."""
    baselines = [image for image in study.images if image.round == 0]
    place = {image.key: i for i, image in enumerate(baselines)}
    errors = [(i, error) for i, image in enumerate(baselines) for error in image.errors]
    number = {(i, error.same_as): n for n, (i, error) in enumerate(errors)}
    claims: list[tuple[int, int, SceneClaim]] = []
    for source, critiques in ((CRITIC, study.critiques), (WRONG_IMAGE, study.controls)):
        claims += [(place[one.image_key], source, claim) for one in critiques for claim in one.claims]
    group = np.array([number[i, claim.error.same_as] if claim.error else -1 for i, _, claim in claims], np.int64)
    source = np.array([source for _, source, _ in claims], np.int64)
    audits = simulation.simulate_audits(
        claim_is_right=[claim.is_right for _, _, claim in claims],
        error_image=[i for i, _ in errors],
        error_is_claimed=np.isin(np.arange(len(errors)), group[source == CRITIC]),
        n_images=len(baselines),
        panel=panel,
        seed=seed,
    )
    prompts = {prompt.key: prompt for prompt in study.prompts}
    category = np.array([str(prompts[image.prompt_key].category) for image in baselines], object)
    image = np.array([i for i, _, _ in claims], np.int64)
    kinds = np.array([claim.kind for _, _, claim in claims], object)
    listed = np.array([(error.kind if n >= 0 else "spurious") for n, error in _listed(audits, errors)], object)
    return CriticData(
        [image.key for image in baselines],
        ["simulated critic"],
        [profile.name for profile in panel],
        np.ones((1, len(baselines)), bool),
        np.zeros(len(baselines), np.int64),
        Claims(
            image,
            np.zeros(len(claims), np.int64),
            source,
            group,
            np.array([claim.confidence for _, _, claim in claims]),
            np.array([claim.about for _, _, claim in claims], object),
            {"kind": kinds, "category": category[image]},
        ),
        Verdicts(
            audits.claim,
            audits.auditor,
            np.array([CODES[str(said)] for said in audits.verdict], np.int64),
            np.full(len(claims), -1, np.int64),
            audits.lists_first[audits.auditor, image[audits.claim]].astype(np.int64),
        ),
        Lists(
            np.tile(np.arange(len(baselines)), len(panel)),
            np.repeat(np.arange(len(panel)), len(baselines)),
            audits.lists_first.ravel(),
            audits.listed_image,
            audits.listed_auditor,
            audits.listed_error,
            audits.lists_first[audits.listed_auditor, audits.listed_image],
            {"kind": listed, "category": category[audits.listed_image]},
        ),
        _repairs(study, place, claims),
    )


def _listed(audits: SimulatedAudits, errors: Sequence[tuple[int, object]]) -> Iterator[tuple[int, object]]:
    for n in audits.listed_error.tolist():
        yield n, errors[n][1] if n >= 0 else None


def _repairs(study: DemoStudy, place: dict[str, int], claims: Sequence[tuple[int, int, SceneClaim]]) -> Repairs:
    links = {place[link.baseline_key]: link for link in study.links}
    rows = [(i, n, links[i].repaired(claim)) for n, (i, source, claim) in enumerate(claims) if source == CRITIC]
    outcome = {True: FIXED, False: UNCHANGED, None: NO_ERROR}
    return Repairs(
        pair_image=np.arange(len(place)),
        pair_method=np.full(len(place), "simulated refined", object),
        pair_is_placebo=np.zeros(len(place), bool),
        pair=np.array([i for i, _, _ in rows], np.int64),
        claim=np.array([n for _, n, _ in rows], np.int64),
        outcome=np.array([outcome[repaired] for _, _, repaired in rows], np.int64),
        on_left=np.full(len(rows), -1, np.int64),
    )


def figures(results: CriticResults) -> dict[str, Estimate]:
    """The figures of `TRUTH`, by the same names."""
    overall = results.critics[0].report.overall
    assert results.repairs is not None
    return {
        "precision": overall.precision,
        "recall": overall.recall,
        "recall_corrected": overall.recall_corrected,
        "repair_rate": results.repairs.rows[0].rate,
        "floor": results.critics[0].floor,
    }


def analysed(seed: int, *, prompts_per_category: int = 20, n_resamples: int = 1000) -> CriticResults:
    data = demo_data(demo(seed, prompts_per_category), PANEL, seed)
    # No facet: only the figures of TRUTH are looked at.
    bare = CriticData(
        **{**vars(data), "claims": Claims(**{**vars(data.claims), "facets": {}}), "auditors": list(data.auditors)}
    )
    return analyse_critics(bare, Options(seed=seed, n_resamples=n_resamples, n_permutations=1))


def coverage(n_seeds: int, *, first: int = FIRST_SEED) -> dict[str, tuple[float, float]]:
    """Of each figure: the share of seeds whose interval over images holds the truth, and the mean of the estimates."""
    held = dict.fromkeys(TRUTH, 0)
    total = dict.fromkeys(TRUTH, 0.0)
    for seed in range(first, first + n_seeds):
        for name, one in figures(analysed(seed)).items():
            interval = one.interval("images")
            held[name] += interval is not None and interval.low <= TRUTH[name] <= interval.high
            total[name] += one.value
    return {name: (held[name] / n_seeds, total[name] / n_seeds) for name in TRUTH}


def floor(n_studies: int = 80, *, prompts_per_category: int = 400, first: int = 900) -> float:
    """The control's share of right claims in a large population; takes a while."""
    n_right = n_claims = 0
    for seed in range(first, first + n_studies):
        said = [claim.is_right for one in demo(seed, prompts_per_category).controls for claim in one.claims]
        n_right, n_claims = n_right + sum(said), n_claims + len(said)
    return n_right / n_claims


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print("figure | truth | mean estimate | coverage")
    for figure, (share, mean) in coverage(count).items():
        print(f"{figure} | {TRUTH[figure]:.4f} | {mean:.4f} | {share:.3f}")
