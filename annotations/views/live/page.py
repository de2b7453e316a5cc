"""The state of a running study, on a page that updates itself."""

from time import monotonic
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotations.models import Study
from annotations.queries import studies as queries
from annotations.queries.live.agreement import Growth, growth
from annotations.queries.live.kept import LARGE, is_large, seconds_to_keep
from annotations.queries.live.progress import latest_raters, needs_a_look, strata
from annotations.queries.planning.close_pairs import said_live
from annotations.queries.reports import what_stands_out
from annotations.reports.numbers import scale_value
from annotations.views.rights import researcher_of_study

KEPT_SECONDS = 15
"""However many people look, one process counts a study at most this often, and a large one less often."""
UNUSUAL = 1.0
"""From this score on, a rater is named: about one signal fully outside the usual range."""
WIDTH, HEIGHT, LEFT, BOTTOM = 320, 160, 32, 24


@never_cache
@researcher_of_study
@require_safe
def live(request: HttpRequest, study: Study, *, large: int = LARGE) -> HttpResponse:
    """The page; with htmx only the part that changes.

    For a study with more than `large` answers the page is shown before they are counted, and then requests the counts;
    with `?count` it waits for them.
    """
    is_part = bool(request.headers.get("HX-Request"))
    state = _kept_state(study)
    if state is None and (is_part or "count" in request.GET or not is_large(study, large=large)):
        state = _state(study)
    template = "annotations/live/_state.html" if is_part else "annotations/live/page.html"
    return render(
        request, template, {"study": study, "tab": "overview", "is_counted": state is not None, **(state or {})}
    )


def _key(study: Study) -> str:
    return f"live-{study.pk}-{study.state}"


def _kept_state(study: Study) -> dict[str, Any] | None:
    """Counts from a moment ago, if there are any."""
    found: dict[str, Any] | None = cache.get(_key(study))
    return found


def _state(study: Study) -> dict[str, Any]:
    """The content of the page, counted now and cached."""
    now, began = timezone.now(), monotonic()
    figures, parts = queries.overview(study, now), strata(study)
    grown = [growth(study, dimension) for dimension in study.dimensions.all()]
    found: dict[str, Any] = {
        "figures": figures,
        "strata": parts,
        "raters": list(latest_raters(study)),
        "notices": needs_a_look(
            study, parts, answered=figures.n_answered, wanted=figures.n_wanted, active=figures.n_active, now=now
        ),
        "unusual": [name for name, lines in what_stands_out(study).items() if any(map(_is_unusual, lines))],
        "growth": [(one, _drawn(one)) for one in grown],
        "headline": next((one for one in grown if one.last and one.last.value is not None), None),
        "looked": said_live(study),
        "counted_at": now,
    }
    cache.set(_key(study), found, seconds_to_keep(monotonic() - began, least=KEPT_SECONDS))
    return found


def _is_unusual(line: str) -> bool:
    """Whether the report's sentence about a rater begins with a score of at least UNUSUAL."""
    score, _colon, _why = line.partition(":")
    try:
        return float(score.replace("−", "-")) >= UNUSUAL
    except ValueError:
        return False


def _drawn(one: Growth) -> dict[str, Any] | None:
    """The points as numbers for an SVG; the axis from −1 or 0 to 1. None with fewer than two points."""
    points = [point for point in one.points if point.value is not None]
    if len(points) < 2:
        return None
    lowest = min(end for point in points for end in (point.value, point.low) if end is not None)
    floor = -1.0 if lowest < 0 else 0.0
    most = points[-1].n

    def x(n: int) -> float:
        return round(LEFT + (WIDTH - LEFT - 8) * n / most, 1)

    def y(value: float) -> float:
        return round(8 + (HEIGHT - BOTTOM - 8) * (1 - (value - floor) / (1 - floor)), 1)

    band = [point for point in points if point.low is not None and point.high is not None]
    upper = [f"{x(point.n)},{y(point.high or 0.0)}" for point in band]
    lower = [f"{x(point.n)},{y(point.low or 0.0)}" for point in reversed(band)]
    return {
        "line": " ".join(f"{x(point.n)},{y(point.value or 0.0)}" for point in points),
        "band": " ".join([*upper, *lower]) if len(band) > 1 else "",
        "floor": scale_value(floor),
        "base": y(floor),
        "most": most,
    }
