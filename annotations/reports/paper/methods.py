"""The methods section for the design that was really used, with the sources of every statistic that is reported.

Citations are in the text as [@key] or [@key; @other]; each format turns them into its own.
"""

import re
from collections.abc import Iterator, Sequence

from annotations.reports.documents.comparisons import ReportedComparison
from annotations.reports.documents.design import Design
from annotations.reports.documents.study import (
    BEST_AND_WORST,
    RANKED,
    RATED,
    VOTED,
    ReportedQuestion,
    StudyDocument,
)
from annotations.reports.numbers import counted, figure, scale_value
from annotations.reports.paper.preference_methods import preference_methods
from annotations.reports.study.sections.answered import answered, n_unable

CITATION = re.compile(r" ?\[(@[\w; @]+)\]")
MOST_NAMED = 12
SHOWN = {
    "image": "one image at a time, with its prompt",
    "pair": "two images side by side, with their prompt",
    "prompt": "all images of a prompt together, with the prompt",
}

CRITICS = (
    "Claims of critics were judged by auditors; a claim's verdict is that of their majority, or of an adjudicator. "
    "Precision is the share of judged claims that are right, recall the share of errors, listed by auditors or named "
    "by the critic, that it names. Intervals over images resample whole images; Wilson's interval takes claims as "
    "independent [@wilson1927]. Stated confidence is judged by Brier's score [@brier1950], and errors that nobody "
    "listed are estimated from the overlap of lists [@chao1987]."
)


def methods(document: StudyDocument) -> list[str]:
    """Paragraphs: the sample, the procedure, the questions, what was left out, the statistics, how to recompute."""
    design = document.design
    return [
        _sample(document, design),
        " ".join(_procedure(document, design)),
        " ".join(_questions(document, design)),
        " ".join(_exclusions(document, design)),
        *_statistics(document),
        _again(document),
    ]


def cited(paragraphs: Sequence[str]) -> list[str]:
    """The keys of all sources that the paragraphs cite, in order of first mention."""
    found = (key.strip(" @") for text in paragraphs for group in CITATION.findall(text) for key in group.split(";"))
    return list(dict.fromkeys(found))


def _sample(document: StudyDocument, design: Design | None) -> str:
    said = f"{'We collected' if design else 'We analysed'} {_collected(document)}"
    if prompts := document.n_prompts:
        said += f", made from {counted(prompts, 'prompt')}"
    methods = document.single_methods
    if methods:
        named = ", ".join(methods[:MOST_NAMED]) + (", …" if len(methods) > MOST_NAMED else "")
        said += f" by {counted(len(methods), 'method')} ({named})"
    said += "."
    if design and design.n_items:
        shown = design.shown_at_once
        with_all = " with all images of a prompt" if shown == "card" else ""
        said += (
            f" Each {shown}{with_all} was to be {JUDGED[shown]} by {counted(design.raters_per_item, 'rater')}; "
            f"{_complete(design)}."
        )
        if design.further_raters:
            said += f" Disputed items got further raters: {design.further_raters}."
            said += " All figures are those of the first raters."
        if design.further_prompts:
            said += f" {design.further_prompts}"
    kinds = document.raters_by_kind
    if kinds:
        words = {"person": "person", "imported": "imported rater", "simulated": "simulated rater"}
        plural = {"person": "people", "imported": "imported raters", "simulated": "simulated raters"}
        listed = [counted(n, words.get(kind, kind), plural.get(kind, "")) for kind, n in kinds.items()]
        said += f" The answers are from {' and '.join(listed)}."
    return said


JUDGED = {"item": "rated", "pair": "judged", "card": "answered"}
"""What raters do with what they see at once."""


def _complete(design: Design) -> str:
    """How many items got the answers that they were to get."""
    n, of, shown = design.n_items_complete, design.n_items, design.shown_at_once
    if n == of:
        return f"all {of:,} {shown}s were" if of > 1 else f"the only {shown} was"
    return f"{n:,} of {counted(of, shown)} {'was' if n == 1 else 'were'}"


def _collected(document: StudyDocument) -> str:
    """What the answers are, and how many things they are about."""
    forms, n = {question.form for question in document.dimensions}, document.n_items
    if forms == {VOTED}:
        return f"votes on {counted(n, 'pair of images', 'pairs of images')}"
    if forms == {RANKED}:
        return f"rankings of {counted(n, 'image')}"
    if forms == {BEST_AND_WORST}:
        return f"choices of the best and the worst among {counted(n, 'image')}"
    return f"{'ratings of' if forms <= {RATED} else 'answers about'} {counted(n, 'item')}"


STATEMENTS = {
    "sampling": "Sampling of images",
    "recruitment": "Recruitment",
    "characteristics": "Raters",
    "relation": "Raters and authors",
    "payment": "Payment",
    "ethics": "Ethics review",
    "funding": "Funding and interests",
}
"""The researchers' own texts by key, with the words that introduce them."""


def _procedure(document: StudyDocument, design: Design | None) -> Iterator[str]:
    if design is None:
        yield (
            "The ratings were read from files, which do not record how items were assigned to raters, in which order "
            "they were shown, and what raters knew of the methods."
        )
        return
    if design.imported_share:
        yield (
            f"{design.imported_share:.0%} of the answers were collected elsewhere and imported; how they were "
            "collected is not recorded here."
        )
    if design.imported_share == 1:
        return
    yield f"Raters saw {SHOWN[design.item_kind]}."
    yield (
        "Items were assigned in small batches, each time those that the fewest raters had been given so far, so that "
        "no item was rated more often than planned; a batch that was not answered within "
        f"{counted(design.lease_minutes, 'minute')} went to others."
    )
    if design.items_per_rater:
        yield f"Each rater rated at most {counted(design.items_per_rater, 'item')}."
    if design.order == "shuffled":
        yield f"The order was shuffled for each rater (seed {design.seed})."
    else:
        yield f"The order was the same for all raters and had been drawn at random (seed {design.seed})."
    yield (
        "Rating was blind: neither page nor file named the method, a metric's score or another rater's answer, and "
        "images were re-encoded without metadata under random addresses."
    )
    if design.item_kind == "pair":
        yield "Which image was on the left was drawn for each rater and item."
    elif design.item_kind == "prompt":
        yield "The order of the images on the page was drawn for each rater and item."
    yield "Raters read written instructions." if design.instructions else "No written instructions were given."
    if design.consent:
        consented = counted(design.n_consented, "rater")
        yield f"Consent was asked for before the first card and is on record for {consented}."
    else:
        yield "No consent text was shown."
    changed = {0: "No answer was", 1: "1 answer was"}.get(design.n_changed, f"{design.n_changed:,} answers were")
    yield f"Raters could change an answer, and the last one counts. {changed} changed."
    if design.median_seconds is not None:
        yield f"The median active time per answer was {figure(design.median_seconds, digits=1)} seconds."
    notes = design.notes or {}
    for key, words in STATEMENTS.items():
        if text := " ".join(notes.get(key, "").split()):
            yield f"{words}: {text}" if text.endswith((".", "!", "?")) else f"{words}: {text}."
    if document.registration:
        yield (
            f"The plan was frozen on {document.registration.made_at[:10]}, before the first answer (SHA-256 "
            f"{document.registration.digest[:16]}…); deviations are listed in the report."
        )
    if design.first_answer:
        first, last = design.first_answer[:10], design.last_answer[:10]
        yield f"Answers were given {f'on {first}' if first == last else f'from {first} to {last}'}."


def _questions(document: StudyDocument, design: Design | None) -> Iterator[str]:
    for dimension in document.dimensions:
        if did := DID.get(dimension.form):
            said, unable = f"In answer to “{dimension.asked}”, raters {did}", ", or said “unable to answer”"
        else:
            said, unable = f"Raters answered “{dimension.asked}” on {_scale(dimension)}", ", or “unable to answer”"
        if design and dimension.name in design.allows_unable:
            said += unable
        said += f" ({answered(dimension, document)}"
        if n := n_unable(dimension, design):
            said += f", and {counted(n, 'time')} unable to answer, which is in no statistic"
        yield f"{said})."
        if n_gold := dimension.n_gold:
            yield f"{counted(n_gold, 'item')} had a known right answer."


DID = {
    RANKED: "put all images on a card in order, the best first, with ties allowed",
    BEST_AND_WORST: "chose the best and the worst image on a card",
}
"""What raters did for questions without a scale."""


def _scale(dimension: ReportedQuestion) -> str:
    values, labels = dimension.values, list(dimension.labels)
    if dimension.kind == "preference":  # results name the methods, which raters did not see
        labels = ["the image on the left", "the image on the right", *(labels or [""] * len(values))[2:]]
    kind = {"ordinal": "ordered levels", "interval": "equally spaced levels"}.get(dimension.kind, "unordered choices")
    if len(values) > MOST_NAMED:
        return f"{len(values)} {kind} from {scale_value(values[0])} to {scale_value(values[-1])}"
    if not labels:
        return f"{len(values)} {kind} ({', '.join(map(scale_value, values))})"
    named = (
        f"{scale_value(value)} = {words}" if words else scale_value(value)
        for value, words in zip(values, labels, strict=True)
    )
    return f"{len(values)} {kind} ({'; '.join(named)})"


def _exclusions(document: StudyDocument, design: Design | None) -> Iterator[str]:
    if rule := document.exclusion_rule:
        yield f"A rule for excluding raters was declared before the study opened: “{' '.join(rule.split())}”."
    elif design:
        yield "No rule for excluding raters was declared beforehand."
    excluded = document.excluded_raters
    if excluded:
        reasons = "; ".join(dict.fromkeys(one.reason for one in excluded))
        n = sum(one.n_answers for one in excluded)
        were = "was" if len(excluded) == 1 else "were"
        yield f"{counted(len(excluded), 'rater')} with {counted(n, 'answer')} {were} excluded ({reasons})."
    else:
        yield "No rater was excluded."
    if withdrawn := document.n_withdrawn:
        yield f"{counted(withdrawn, 'rater')} withdrew; their answers are in no figure."
    if late := document.n_late:
        came, are = counted(late, "card"), "is" if late == 1 else "are"
        yield f"{came} came after others had answered the item in full and {are} not counted."
    if left_out := document.n_excluded:
        were = "was" if left_out == 1 else "were"
        yield f"{counted(left_out, 'row')} of the files {were} left out as unusable."


def _statistics(document: StudyDocument) -> Iterator[str]:
    dimensions = document.dimensions
    yield " ".join(_agreement(dimensions))
    if preferred := preference_methods([one.preferences for one in dimensions if one.preferences]):
        yield preferred
    compared = [one for dimension in dimensions for one in dimension.comparisons if one.n]
    if any(dimension.means for dimension in dimensions):
        yield " ".join(_means(compared, document.sampled))
    if beside := " ".join(_beside(dimensions)):
        yield beside
    if any(dimension.board for dimension in dimensions):
        yield _metrics(document)


def _agreement(dimensions: Sequence[ReportedQuestion]) -> Iterator[str]:
    kinds = {dimension.kind for dimension in dimensions}
    levels: list[str] = [name for name in ("ordinal", "interval") if name in kinds]
    if kinds - {"ordinal", "interval"}:
        levels.append("nominal")
    yield (
        f"Agreement between raters is Krippendorff's alpha with the {' or '.join(levels)} difference "
        "[@krippendorff2011], next to Fleiss' kappa [@fleiss1971], Conger's kappa [@conger1980], Gwet's AC1 "
        "[@gwet2008; @gwet2014] and the Brennan–Prediger coefficient [@brennan1981], since coefficients that correct "
        "for chance in different ways answer differently where one answer prevails."
    )
    forms = {one.form for one in dimensions}
    if RANKED in forms:
        yield "These coefficients take the places of a ranking as unordered."
    if BEST_AND_WORST in forms:
        yield "These coefficients take best, worst and neither as unordered."
    if kinds & {"ordinal", "interval"}:
        yield (
            "Intraclass correlations are over items that every rater rated [@mcgraw1996]; agreement of two raters is "
            "quadratic-weighted kappa [@cohen1968]."
        )
    yield (
        "All intervals are 95%. Those over items are bootstraps of items, bias-corrected and accelerated "
        "[@efron1987]; those over raters are delete-one-rater jackknives with a t distribution [@efron1981]; those "
        "over both add the variances less that of their crossing [@cameron2011]."
    )


def _means(compared: Sequence[ReportedComparison], sampled: str) -> Iterator[str]:
    yield f"Means of methods have jackknife intervals over {sampled} and over raters [@efron1981]."
    if not compared:
        return
    yield (
        "Methods are compared on the same prompts: an image's rating is the mean of its raters, a prompt's that of its "
        "images, and the difference is the mean over prompts, with a paired t interval over prompts and one over "
        "prompts and raters [@cameron2011]. Tests are two-sided: Wilcoxon's signed-rank test, zero differences dropped "
        "[@wilcoxon1945], and a sign-flip permutation test of the mean [@fisher1935; @phipson2010]. Effect sizes are "
        "the matched-pairs rank-biserial correlation [@kerby2014] and the probability of superiority with a score "
        "interval [@wilson1927]."
    )
    if any(one.ordinal.odds_ratio is not None for one in compared):
        yield (
            "Odds ratios are from a cumulative link mixed model of the raw levels with random images, prompts and "
            "raters [@mccullagh1980; @hedeker1994]. Their intervals take the variance between raters from the "
            "interaction of raters and methods, with Satterthwaite's degrees of freedom."
        )
    yield (
        "Each conclusion was checked under every combination of exclusion rule, aggregation (Dawid–Skene among them "
        "[@dawid1979]) and subset [@steegen2016], and with an interval that is valid at every look "
        "[@waudbysmith2024]."
    )
    if len(compared) > 1:
        yield f"The p-values of the {len(compared)} comparisons are not corrected for their number."


def _beside(dimensions: Sequence[ReportedQuestion]) -> Iterator[str]:
    """The model of all methods, and what says how far figures can be relied on."""
    models = [one.model for one in dimensions if one.model and one.model.pairs]
    if covered := {model.covers for model in models}:
        if all(model.has_simultaneous_p for model in models):
            tests = "simultaneous p-values agree with them; Holm's [@holm1979] are given for comparison. Methods"
        else:
            tests = "p-values have Holm's correction [@holm1979], and methods"
        yield (
            "All methods together are in one cumulative link mixed model of the raw levels [@mccullagh1980; "
            "@hedeker1994] with random images, prompts and raters. Its intervals of all pairs hold together "
            f"[@hothorn2008], over {' or '.join(sorted(covered))}; {tests} that "
            "share a letter are not distinguished at 5%."
        )
        if "prompts and raters" in covered:
            yield (
                "The variance between raters is that of the interaction of raters and methods, with Satterthwaite's "
                "degrees of freedom."
            )
    compared = [one for dimension in dimensions for one in dimension.comparisons if one.n]
    if margins := sorted({one.equivalence.margin for one in compared if one.equivalence}):
        yield (
            "Equivalence and non-inferiority are tested by two one-sided tests at 5% each [@schuirmann1987] with a "
            f"margin of {' and '.join(f'{margin:g}' for margin in margins)}."
        )
    if any(one.categories for one in compared):
        yield (
            "Differences by category have Holm's correction over the categories [@holm1979]; method × category is "
            "Welch's F test of equal differences."
        )
    support = [one.support for one in dimensions if one.support]
    if any(one.spread for one in support):
        yield (
            "The reliability of means of other numbers of raters follows from that of one rating by Spearman and "
            "Brown's formula."
        )
    if any(one.adjusted and one.adjusted.methods for one in support):
        yield (
            "Fair averages are least-squares means of an additive model of methods, prompts and raters, with jackknife "
            "intervals."
        )
    if any(one.within_raters for one in support):
        yield "Raters' agreement with themselves is that of their answers to repeated items, with jackknife intervals."
    if any(one.drift for one in support):
        yield (
            "Drift is the mean over raters of the slope of their deviation from the others' mean along their own "
            "order, with Student's t."
        )


def _metrics(document: StudyDocument) -> str:
    n = len(document.metrics)
    return (
        f"{counted(n, 'automatic metric')} {'is' if n == 1 else 'are'} "
        "compared with the mean rating of each item by Spearman's rank correlation [@spearman1904], Kendall's tau-b "
        "[@kendall1945] and pairwise accuracy with calibrated ties [@deutsch2023]; the ceiling is one rater against "
        "the mean of the others. Differences between metrics are tested by exchanging their scores [@deutsch2021], "
        "with Holm's correction [@holm1979]."
    )


def _again(document: StudyDocument) -> str:
    made = document.made
    return (
        f"All figures were computed by evalsite {made.code_version} (statistics {made.stats_version}) with seed "
        f"{made.seed}, {made.n_resamples:,} resamples and {made.n_permutations:,} permutations from inputs "
        f"with the hash {made.inputs_hash[:16]}; the same inputs, seed and versions give the same figures."
    )
