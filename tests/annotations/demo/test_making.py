"""The demo study at full size, and after an interruption."""

from unittest import mock

import pytest
from django.core.management import call_command

from annotations.models import Response, Study
from annotations.queries.audits.critic import critic_data
from annotations.reports.critic.analysis import analyse_critics
from annotations.reports.critic.document import critic_document
from annotations.reports.critic.figures import Options
from annotations.services.demo.audit import N_AUDITORS
from annotations.services.demo.study import N_RATERS, make_demo_study
from generation.queries.demo import demo_set_name
from generation.recipes.scenes.critic import PRECISION, RECALL
from generation.recipes.scenes.errors import MEND_IF_CLAIMED
from generation.services.demo import make_demo_material
from tests.benchmarks.coverage.demo_critic import FLOOR
from tests.factories import undrawn

pytestmark = pytest.mark.django_db


def test_the_critic_page_has_every_figure_and_each_interval_its_truth() -> None:
    """At seed 0 and full size, without drawing. The truths are those of the population of prompts."""
    make_demo_material(seed=0, say=lambda line: None, draw=undrawn)
    study, _people = make_demo_study(prompt_set=demo_set_name(0), seed=0, say=lambda line: None)
    results = analyse_critics(critic_data(study), Options(n_resamples=400, n_permutations=19))
    document = critic_document(results, title=study.title, code_version="", made_at="")

    [critic] = document.critics
    repairs = document.repairs
    for found, truth in (
        (critic.groups[0].precision, PRECISION),
        (critic.groups[0].recall, RECALL),
        (critic.groups[0].recall_corrected, RECALL),
        (critic.floor, FLOOR),
        (repairs.rows[0].rate, MEND_IF_CLAIMED),
    ):
        [interval] = [one for one in found.intervals if one.covers == "images"]
        assert interval.low <= truth <= interval.high, found.statistic
        assert interval.high - interval.low < 0.35
    assert (repairs.n_pairs, repairs.gains is None) == (60, False)
    assert repairs.placebo_differences.n["pairs"] > 0
    assert repairs.placebo_differences.value < 0.2
    settled = document.settled
    shares = {one.statistic: one.value for one in document.agreement[0].estimates}
    assert settled.adjudicated > 0
    assert shares["adjudicated_share"] == pytest.approx(settled.adjudicated / settled.several)
    assert (settled.open, document.counts.simulated_auditors) == (0, N_AUDITORS + 1)
    assert document.anchoring is not None


def test_an_interrupted_demo_is_started_again(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        mock.patch("annotations.services.demo.study.simulate_audit", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        call_command("demo", prompts_per_category=1)
    assert not Study.objects.exists()
    call_command("demo", prompts_per_category=1)
    assert Response.objects.count() == 3 * 2 * N_RATERS
