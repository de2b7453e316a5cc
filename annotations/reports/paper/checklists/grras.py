"""GRRAS: the 15 items of the guidelines for reporting reliability and agreement studies (Kottner et al. 2011)."""

from annotations.reports.paper.checklists.items import ONE_RATER, Checklist, Facts, Item

ONLY_YOU = "Only you know this: write it in the paper."


def grras(facts: Facts) -> Checklist:
    """The checklist of this study."""
    stated = "section Methods"
    items = (
        Item("1", "The title or abstract says that agreement was studied", cure=ONLY_YOU),
        Item(
            "2",
            "The instrument: questions and scales",
            facts.scales if facts.has_words else "",
            stated,
            "Give the wording of each question: analyze --questions.",
        ),
        Item(
            "3", "The population of subjects (images)", cure="Say which images these represent: write it in the paper."
        ),
        Item("4", "The population of raters", facts.answer("raters"), stated, "State whom the raters represent."),
        Item("5", "What is known, and why this study", cure=ONLY_YOU),
        Item(
            "6",
            "Sample size: planned subjects, raters and replicates",
            facts.replicates,
            stated,
            "Files do not say what was planned: write it in the paper.",
        ),
        Item(
            "7",
            "How subjects and raters were sampled",
            facts.answer("sampling"),
            stated,
            "Say how images and raters were chosen.",
        ),
        Item(
            "8",
            "The rating process, blinding",
            facts.blinding,
            stated,
            "Say what raters saw, in which order, and what they knew of the methods.",
        ),
        Item(
            "9",
            "Whether ratings were independent",
            facts.independence,
            stated,
            "Say whether raters could see or discuss each other's answers.",
        ),
        Item("10", "The statistical analysis", f"Described with its sources. {facts.plan}".strip(), stated),
        Item("11", "How many subjects, raters and ratings there were", f"{facts.items} {facts.raters}", "means.csv"),
        Item(
            "12",
            "Who raters and subjects were",
            facts.answer("characteristics"),
            stated,
            "Describe the raters: experience, language, colour vision; and the images.",
        ),
        Item("13", "Estimates with their uncertainty", facts.agreement, "agreement.csv", ONE_RATER),
        Item("14", "What the results mean in practice", cure=ONLY_YOU),
        Item("15", "Where detailed results are", "Every table of this report as CSV.", "the folder of the report"),
    )
    return Checklist("GRRAS", "kottner2011", items)
