"""What Otani et al. (CVPR 2023) ask papers to report about a human evaluation of text-to-image images."""

from annotations.reports.paper.checklists.items import ONE_RATER, Checklist, Facts, Item


def otani(facts: Facts) -> Checklist:
    """The checklist of this study. The numbers are ours: the paper has a template, not numbers."""
    stated, design = "section Methods", facts.design
    shown = "" if design is None else f"What was shown at once: {design.item_kind}. {facts.scales}"
    instructions = "" if design is None or not design.instructions else f"“{' '.join(design.instructions.split())}”"
    time = (
        "" if design is None or design.median_seconds is None else f"Median {design.median_seconds:.1f} s per answer."
    )
    items = (
        Item("1", "Prompts: how many, and where from", facts.items, stated),
        Item(
            "2",
            "How images were chosen: seeds, no picking by hand",
            facts.answer("sampling"),
            stated,
            "Say which seeds were drawn and that none was replaced.",
        ),
        Item(
            "3",
            "The questions and answers, word for word",
            facts.scales if facts.has_words else "",
            stated,
            "Give the wording of each question: analyze --questions.",
        ),
        Item(
            "4",
            "The task design: one image or several, the scale",
            shown,
            stated,
            "Say whether raters saw one image or several at once.",
        ),
        Item(
            "5",
            "Instructions to raters",
            instructions,
            "study.json",
            "Write instructions in the study's settings, or say that there were none.",
        ),
        Item(
            "6",
            "The interface, as a picture",
            facts.answer("interface"),
            stated,
            "Add a screenshot of the card to the paper's appendix.",
        ),
        Item("7", "Raters: how many, and how many per item", f"{facts.raters} {facts.replicates}".strip(), stated),
        Item(
            "8",
            "Recruitment and qualification of raters",
            facts.answer("recruitment"),
            stated,
            "Say where raters came from and what they had to qualify for.",
        ),
        Item("9", "Pay, per hour", facts.answer("payment"), stated, "Say what raters were paid, if anything."),
        Item("10", "Time per answer", time, "raters.csv", "Times are not in the files: give the column active_ms."),
        Item(
            "11",
            "Quality control and exclusions",
            facts.exclusions,
            "excluded_raters.csv",
            "Say whether answers were left out, and by which rule.",
        ),
        Item("12", "Agreement between raters", facts.agreement, "agreement.csv", ONE_RATER),
        Item(
            "13",
            "The analysis, with its uncertainty",
            f"Intervals over prompts and raters; tests with sources. {facts.plan}".strip(),
            stated,
        ),
        Item(
            "14",
            "The ratings themselves, per rater",
            "Every rating is in the study's release." if design else "",
            "manage.py release",
            "Publish the file of ratings with the paper.",
        ),
        Item(
            "15",
            "Ethics review and consent",
            facts.answer("ethics")
            or ("Consent was asked for before the first card." if design and design.consent else ""),
            stated,
            "Name the review board, or say why none was needed; show a consent text.",
        ),
    )
    return Checklist("Human evaluation of text-to-image models", "otani2023", items)
