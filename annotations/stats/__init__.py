"""Statistics of human ratings on plain NumPy arrays. They need neither Django nor a database, so they work in a
notebook.

**The data.** `Ratings` holds the answers to one question in long form; `Ratings.from_matrix` takes a table of raters ×
units. `Votes` holds choices between two methods, `Rankings` holds orders of several methods, and `Audit` holds
auditors' verdicts on a critic's claims. A result is an `Estimate`: the value, its `Interval`s and what each covers, the
counts, and the reason if it is undefined.

**Do raters agree?** `agreement_report` computes every coefficient. To compute a single one, use `krippendorff_alpha`,
`gwet_ac`, `fleiss_kappa`, `conger_kappa`, `cohen_matrix` (every pair of raters), `icc_family` and `kendall_w`.

**Does a metric agree with people?** `metric_table` measures and compares several metrics. `correlate` measures one;
`human_ceiling` shows how well one rater predicts the others.

**Is one method better?** `compare` tests two methods on the same prompts, `effects_by_category` within each category,
and `equivalence` whether they differ by less than a margin. `ordinal_effect` fits a mixed model of the levels, and
`ordinal_methods` one of all methods, with every pair. `method_means` gives each method's mean, `multiverse` repeats a
comparison under other choices of analysis, and `confidence_sequence` stays valid however often you look.
`adjusted_means` removes raters' severity and prompts' difficulty, and `fewest_to_change` says how few answers decide
which method leads. For votes and rankings use `win_rate`, `strengths` and `ranking_strengths`.

**How large should the next study be?** `pilot_components` estimates variances from a pilot study.
`required_prompts` and `plan_table` turn them into numbers of prompts and raters.

**Does a rater stand out?** `rater_table` describes each rater next to the others; `dawid_skene` estimates which levels
each rater confuses, `within_raters` measures how well raters agree with themselves, and `drift` how they change over a
session. `g_study_of_ratings` and `g_study_nested` separate the variance due to units, raters and the rest, and
`d_study` says what more raters would give. `seed_study` separates the variance due to prompts, seeds and raters.

**Can the critic be trusted?** `critic_accuracy` gives precision and recall from an `Audit`, `compare_critics` compares
two critics, and `calibration` compares stated confidence with the auditors' verdicts.

Names are loaded on first use, so that importing one statistic does not load all of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from annotations.stats.agreement.alpha import krippendorff_alpha
    from annotations.stats.agreement.chance_corrected import fleiss_kappa, gwet_ac
    from annotations.stats.agreement.cohen import cohen_matrix
    from annotations.stats.agreement.concordance import kendall_w
    from annotations.stats.agreement.conger import conger_kappa
    from annotations.stats.agreement.intraclass.icc import icc_family
    from annotations.stats.agreement.report import agreement_report
    from annotations.stats.comparison.adjusted import adjusted_means
    from annotations.stats.comparison.by_category import effects_by_category
    from annotations.stats.comparison.compare import compare
    from annotations.stats.comparison.equivalence import equivalence
    from annotations.stats.comparison.fragility import fewest_to_change
    from annotations.stats.comparison.means import method_means
    from annotations.stats.comparison.multiverse import multiverse
    from annotations.stats.comparison.power import pilot_components, plan_table, required_prompts
    from annotations.stats.comparison.sequential import confidence_sequence
    from annotations.stats.critic.accuracy import critic_accuracy
    from annotations.stats.critic.audit import Audit
    from annotations.stats.critic.calibration import calibration
    from annotations.stats.critic.comparison import compare_critics
    from annotations.stats.estimate import Estimate, Interval
    from annotations.stats.metrics.ceiling import human_ceiling
    from annotations.stats.metrics.correlation import correlate
    from annotations.stats.metrics.table import metric_table
    from annotations.stats.ordinal_model.effect import ordinal_effect
    from annotations.stats.ordinal_model.methods import ordinal_methods
    from annotations.stats.preferences.rankings import Rankings
    from annotations.stats.preferences.strengths import ranking_strengths, strengths
    from annotations.stats.preferences.votes import Votes
    from annotations.stats.preferences.win_rate import win_rate
    from annotations.stats.raters.dawid_skene import dawid_skene
    from annotations.stats.raters.drift import drift
    from annotations.stats.raters.generalisability import d_study, g_study_nested, g_study_of_ratings
    from annotations.stats.raters.seeds import seed_study
    from annotations.stats.raters.table import rater_table
    from annotations.stats.raters.within_rater import within_raters
    from annotations.stats.ratings import Ratings

_HOMES = {
    "Ratings": "ratings:Ratings",
    "Votes": "preferences.votes:Votes",
    "Rankings": "preferences.rankings:Rankings",
    "Audit": "critic.audit:Audit",
    "Estimate": "estimate:Estimate",
    "Interval": "estimate:Interval",
    "agreement_report": "agreement.report:agreement_report",
    "krippendorff_alpha": "agreement.alpha:krippendorff_alpha",
    "gwet_ac": "agreement.chance_corrected:gwet_ac",
    "fleiss_kappa": "agreement.chance_corrected:fleiss_kappa",
    "conger_kappa": "agreement.conger:conger_kappa",
    "cohen_matrix": "agreement.cohen:cohen_matrix",
    "icc_family": "agreement.intraclass.icc:icc_family",
    "kendall_w": "agreement.concordance:kendall_w",
    "metric_table": "metrics.table:metric_table",
    "correlate": "metrics.correlation:correlate",
    "human_ceiling": "metrics.ceiling:human_ceiling",
    "compare": "comparison.compare:compare",
    "effects_by_category": "comparison.by_category:effects_by_category",
    "equivalence": "comparison.equivalence:equivalence",
    "ordinal_effect": "ordinal_model.effect:ordinal_effect",
    "ordinal_methods": "ordinal_model.methods:ordinal_methods",
    "method_means": "comparison.means:method_means",
    "multiverse": "comparison.multiverse:multiverse",
    "confidence_sequence": "comparison.sequential:confidence_sequence",
    "adjusted_means": "comparison.adjusted:adjusted_means",
    "fewest_to_change": "comparison.fragility:fewest_to_change",
    "win_rate": "preferences.win_rate:win_rate",
    "strengths": "preferences.strengths:strengths",
    "ranking_strengths": "preferences.strengths:ranking_strengths",
    "pilot_components": "comparison.power:pilot_components",
    "required_prompts": "comparison.power:required_prompts",
    "plan_table": "comparison.power:plan_table",
    "rater_table": "raters.table:rater_table",
    "dawid_skene": "raters.dawid_skene:dawid_skene",
    "within_raters": "raters.within_rater:within_raters",
    "drift": "raters.drift:drift",
    "d_study": "raters.generalisability:d_study",
    "g_study_nested": "raters.generalisability:g_study_nested",
    "g_study_of_ratings": "raters.generalisability:g_study_of_ratings",
    "seed_study": "raters.seeds:seed_study",
    "critic_accuracy": "critic.accuracy:critic_accuracy",
    "compare_critics": "critic.comparison:compare_critics",
    "calibration": "critic.calibration:calibration",
}
"""Public name → the module below this package, and its name there."""

__all__ = [  # noqa: RUF022  (in the order of the questions above)
    "Ratings",
    "Votes",
    "Rankings",
    "Audit",
    "Estimate",
    "Interval",
    "agreement_report",
    "krippendorff_alpha",
    "gwet_ac",
    "fleiss_kappa",
    "conger_kappa",
    "cohen_matrix",
    "icc_family",
    "kendall_w",
    "metric_table",
    "correlate",
    "human_ceiling",
    "compare",
    "effects_by_category",
    "equivalence",
    "ordinal_effect",
    "ordinal_methods",
    "method_means",
    "multiverse",
    "confidence_sequence",
    "adjusted_means",
    "fewest_to_change",
    "win_rate",
    "strengths",
    "ranking_strengths",
    "pilot_components",
    "required_prompts",
    "plan_table",
    "rater_table",
    "dawid_skene",
    "within_raters",
    "drift",
    "d_study",
    "g_study_nested",
    "g_study_of_ratings",
    "seed_study",
    "critic_accuracy",
    "compare_critics",
    "calibration",
]


if not TYPE_CHECKING:  # a type checker knows the names from the imports above, so it reports a missing one

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it offers {', '.join(_HOMES)}")
        module, _, inner = _HOMES[name].partition(":")
        found = getattr(import_module(f"{__name__}.{module}"), inner)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted(__all__)
