"""The steps before the first card: a warning, worked examples, practice with feedback, and a quiz."""

from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from annotations.forms.rating import not_loaded, parse_submission
from annotations.kinds.base import BadAnswers
from annotations.models import Assignment, Item, PanelVisit, Rater, Response, Trial
from annotations.models.participation import plan_of
from annotations.queries import rating as queries
from annotations.queries.raters import known as known_queries
from annotations.queries.words import asked
from annotations.services.panels.visits import ended
from annotations.services.taking_part import exercises
from annotations.views.cards import card_contexts, given_answers_of, images_as_shown, picture_at
from annotations.views.fetched import IMAGE_SECONDS, note_fetched, were_fetched
from annotations.views.languages import speak_language_of_study
from annotations.views.raters.exercise_words import answers_in_words
from generation.queries.stored_files import opened

TEMPLATES = {
    "warning": "annotations/raters/warning.html",
    "examples": "annotations/raters/examples.html",
    "practice": "annotations/raters/exercise.html",
    "quiz": "annotations/raters/exercise.html",
    "failed": "annotations/raters/quiz_failed.html",
    "screened_out": "annotations/raters/screened_out.html",
}


def comes_before(rater: Rater) -> bool:
    """Whether something comes before this rater's next card."""
    warns = rater.warning_seen_at is None and plan_of(rater.study).content_warning != ""
    return rater.must_prepare or rater.screened_out_at is not None or warns


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def before(request: HttpRequest, study_token: str) -> HttpResponse:
    """The next step before the first card; the answer to it."""
    rater = queries.rater_of(study_token, request.user)
    if rater is None:
        return redirect("home")
    if queries.over_since(rater.pk) is not None:  # the card page says what has happened
        return redirect("rate", study_token=study_token)
    speak_language_of_study(request, rater.study.language)
    now = timezone.now()
    if (done := known_queries.trial_of(request.GET.get("done", ""), rater)) is not None and done.answered_at:
        return _feedback(request, rater, done)
    step = exercises.next_step(rater=rater, now=now)
    if request.method == "POST":
        if step.kind == "warning" and "agree" in request.POST:
            Rater.objects.filter(pk=rater.pk).update(warning_seen_at=now)
        elif step.kind == "examples" and "seen" in request.POST:
            Rater.objects.filter(pk=rater.pk).update(examples_seen_at=now)
        elif step.kind == "failed" and "again" in request.POST:
            exercises.try_again(rater=rater)
        elif step.trial is not None and request.POST.get("trial") == step.trial.token:
            return _answer(request, rater, step)
        return redirect("rate-before", study_token=study_token)
    if step.kind == "ready":
        return redirect("rate", study_token=study_token)
    return _page(request, rater, step)


@login_required
@require_GET
def image(request: HttpRequest, study_token: str, token: str, place: int) -> HttpResponseBase:
    """An image of an exercise that this rater has begun, or of an example."""
    rater = queries.rater_of(study_token, request.user)
    if rater is None:
        raise Http404
    trial = known_queries.trial_of(token, rater)
    if trial is None:
        if not token.isdigit():
            raise Http404
        examples = Item.with_checks.filter(study=rater.study, role=Item.Role.EXAMPLE)
        item = get_object_or_404(examples, position=int(token[:9]))
        slots = ",".join(map(str, range(item.images.count())))
        card = Assignment(item=item, shown_order=slots)
    else:
        card = _as_assignment(trial)
    picture = picture_at(card, place)
    response = FileResponse(opened(picture.shown), content_type="image/webp", filename="image.webp")
    response.headers["Cache-Control"] = f"private, max-age={IMAGE_SECONDS}, immutable"
    if trial is not None and "page" in request.GET:
        note_fetched(response, trial.token, place, answered_at=reverse("rate-before", args=[study_token]))
    return response


def _answer(request: HttpRequest, rater: Rater, step: exercises.Step) -> HttpResponse:
    trial = step.trial
    assert trial is not None  # noqa: S101 (for the type checker; the caller has checked)
    now, dimensions = timezone.now(), asked(rater.study, queries.dimensions_of(rater.study_id))
    try:
        images, frozen = images_as_shown(_as_assignment(trial)), trial.item.frozen
        submission = parse_submission(request.POST, dimensions, images, now, frozen=frozen)
        if not were_fetched(request, trial.token, len(images) + (trial.item.reference is not None)):
            raise not_loaded()
    except BadAnswers as problem:
        return _page(request, rater, step, problem=str(problem), given=request.POST, status=HTTPStatus.BAD_REQUEST)
    exercises.answer_trial(trial=trial, answers=submission.answers, now=now)
    address = reverse("rate-before", args=[rater.study.token])
    return redirect(f"{address}?done={trial.token}" if step.kind == "practice" else address)


def _page(
    request: HttpRequest,
    rater: Rater,
    step: exercises.Step,
    *,
    problem: str = "",
    given: Any = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context: dict[str, Any] = {"study": rater.study, "rater": rater, "plan": plan_of(rater.study), "step": step}
    if step.kind == "screened_out":
        context["panel_end"] = ended(rater, state=PanelVisit.State.SCREENED_OUT, now=timezone.now())
    if step.trial is not None:
        context["card"] = _card(step.trial, rater, problem=problem, given=given)
    if step.kind == "examples":
        context["examples"] = _examples(rater)
    return render(request, TEMPLATES[step.kind], context, status=status)


def _feedback(request: HttpRequest, rater: Rater, trial: Trial) -> HttpResponse:
    """After a practice item: the right answer, the given answer, and the reason. The quiz gives no feedback."""
    if trial.item.role != Item.Role.PRACTICE:
        return redirect("rate-before", study_token=rater.study.token)
    card = _card(trial, rater, given=_given(trial))
    known = known_queries.known_answers([trial.item_id]).get(trial.item_id, [])
    context = {
        "study": rater.study,
        "trial": trial,
        "card": card,
        "answers": answers_in_words(
            known, trial.answers or [], trial.shown_order, images_as_shown(_as_assignment(trial)), study=rater.study
        ),
    }
    return render(request, "annotations/raters/feedback.html", context)


def _card(trial: Trial, rater: Rater, *, problem: str = "", given: Any = None) -> dict[str, Any]:
    """The rating card of an exercise: like any other, but it leads back here."""
    card = card_contexts(rater.study, [_as_assignment(trial)], problem=problem, given=given)[0]
    for picture in filter(None, [*card["pictures"], card["reference"]]):
        address = reverse("rate-exercise-image", args=[rater.study.token, trial.token, picture["place"]])
        picture["address"] = f"{address}?page={card['asked_at']}"
    return card | {"action": reverse("rate-before", args=[rater.study.token]), "allows_skip": False}


def _as_assignment(trial: Trial) -> Assignment:
    """An unsaved assignment, from which the card is made."""
    return Assignment(
        token=trial.token,
        item=trial.item,
        study_id=trial.item.study_id,
        rater_id=trial.rater_id,
        shown_order=trial.shown_order,
    )


def _given(trial: Trial) -> dict[str, str]:
    answers = [
        Response(
            dimension_id=row["dimension"],
            image_id=row["image"],
            level=row["level"],
            answer=row.get("answer"),
            is_unable=row["level"] is None and row.get("answer") is None,
        )
        for row in trial.answers or []
    ]
    return given_answers_of(_as_assignment(trial), answers)


def _examples(rater: Rater) -> list[dict[str, Any]]:
    items = known_queries.exercises(rater.study, Item.Role.EXAMPLE)
    known = known_queries.known_answers(item.pk for item in items)
    return [
        {
            "item": item,
            "pictures": [_example_picture(rater, item, slot, size) for slot, size in enumerate(sizes)],
            "reference": item.reference
            and _example_picture(rater, item, len(sizes), (item.reference["width"], item.reference["height"])),
            "answers": answers_in_words(known.get(item.pk, []), [], "", queries.image_ids(item.pk), study=rater.study),
        }
        for item, sizes in ((item, queries.image_sizes([item.pk])[item.pk]) for item in items)
    ]


def _example_picture(rater: Rater, item: Item, place: int, size: tuple[int | None, int | None]) -> dict[str, Any]:
    address = reverse("rate-exercise-image", args=[rater.study.token, item.position, place])
    return {"address": address, "size": size}
