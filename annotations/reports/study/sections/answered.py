"""How many answers a question got, counted as a person counts them: a ranking of eight images is one answer."""

from annotations.reports.documents.design import Design
from annotations.reports.documents.study import BEST_AND_WORST, RANKED, RATED, VOTED, ReportedQuestion, StudyDocument
from annotations.reports.numbers import counted

CHOICE = ("choice of the best and the worst image", "choices of the best and the worst image")


def answered(question: ReportedQuestion, document: StudyDocument) -> str:
    """100 ratings of 20 items by 5 raters; or votes, rankings, or choices of the best and the worst image."""
    by = f"by {counted(question.n_raters, 'rater')}"
    if not question.n_ratings:
        return "no answers"
    if question.form == RATED:
        return f"{counted(question.n_ratings, 'rating')} of {counted(question.n_units, 'item')} {by}"
    if question.form == VOTED:
        pairs = counted(question.n_units, "pair of images", "pairs of images")
        return f"{counted(question.n_ratings, 'vote')} on {pairs} {by}"
    n = n_orders(question, document.design)
    if n is None:
        return f"answers about {counted(question.n_units, 'image')} {by}"
    part, methods, prompts = question.preferences, len(document.single_methods), document.n_prompts
    if part:
        methods, prompts = part.n_methods, part.n_prompts
    orders = counted(n, "ranking") if question.form == RANKED else counted(n, *CHOICE)
    of = f" {'of' if question.form == RANKED else 'among'} {counted(methods, 'method')}" if methods else ""
    on = f" on {counted(prompts, 'prompt')}" if prompts else ""
    return f"{orders}{of}{on} {by}"


def n_answers(question: ReportedQuestion, document: StudyDocument) -> int:
    """Ratings, votes, rankings, or choices; images where it is not known which of them a rater put in order at once."""
    n = n_orders(question, document.design) if question.form in (RANKED, BEST_AND_WORST) else None
    return question.n_ratings if n is None else n


def n_orders(question: ReportedQuestion, design: Design | None) -> int | None:
    """The number of rankings, or of choices of the best and the worst image; None where it is not known."""
    if question.preferences:
        return question.preferences.n
    if design and (question.name in design.n_orders or question.name in design.n_unable_orders):
        return design.n_orders.get(question.name, 0)
    return None


def n_unable(question: ReportedQuestion, design: Design | None) -> int:
    """How many times a rater was unable to answer: once for a card whose images were to be put in order."""
    return (design.n_unable_orders if design else {}).get(question.name, question.n_unable)
