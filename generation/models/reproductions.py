"""An image made again from its record: who asked for it, its progress, and how close the result is."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generation.jobs import Leased
from generation.models.images import Image


class Reproduction(Leased):
    """One attempt at making an image again. A worker claims it with a lease; `claim` proves that it is still theirs.

    DONE: it was made, and compared if the original is available. FAILED: it could not be made; `problem` says why.

    is_equal    whether every pixel is the same; None where that is unknown
    difference  the fields of `recipes.difference.Difference`, or None
    problem     why it was not made, or what its difference may come from
    report      the same of every image that was made on the way, the first ancestor first: `Reproduction.as_json` of
                the service, with `is_made`
    """

    class State(models.TextChoices):
        WAITING = "waiting", gettext_lazy("waiting")
        RUNNING = "running", gettext_lazy("running")
        DONE = "done", gettext_lazy("done")
        FAILED = "failed", gettext_lazy("failed")

    OPEN = (State.WAITING, State.RUNNING)

    image = models.ForeignKey(Image, models.CASCADE, related_name="reproductions")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    is_equal = models.BooleanField(null=True, blank=True)
    difference = models.JSONField(null=True, blank=True)
    problem = models.TextField(blank=True)
    report = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "lease_until"], name="reproduction_by_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["image"], condition=Q(state__in=["waiting", "running"]), name="reproduction_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running"], ended_at=None, lease_until__isnull=False)
                | Q(state__in=["done", "failed"], ended_at__isnull=False, lease_until=None),
                name="reproduction_open_has_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | ~Q(claim=""), name="reproduction_running_is_claimed"
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(problem=""), name="reproduction_failed_says_why"),
            models.CheckConstraint(condition=Q(state="done") | Q(is_equal=None), name="reproduction_judged_is_done"),
        ]

    def __str__(self) -> str:
        return f"{self.image_id}: {self.get_state_display()}"

    @property
    def is_under_way(self) -> bool:
        return self.state in self.OPEN

    @property
    def verdict(self) -> str:
        """How close the result is, in words; empty while it waits or runs."""
        if self.is_under_way:
            return ""
        is_made = self.state == self.State.DONE
        return in_words(is_made=is_made, is_equal=self.is_equal, difference=self.difference, problem=self.problem)

    @property
    def ancestors(self) -> list[tuple[int, str, str]]:
        """Of each image that was made on the way to this one: its row id, its method, and its verdict in words."""
        return [
            (
                int(row["id"]),
                row["method"],
                in_words(**{name: row[name] for name in ("is_made", "is_equal", "difference", "problem")}),
            )
            for row in self.report
            if row["id"] != str(self.image_id)
        ]


def in_words(*, is_made: bool, is_equal: bool | None, difference: Mapping[str, Any] | None, problem: str) -> str:
    """A verdict: bit-equal, how different, or why it could not be made."""
    if not is_made:
        return _("It could not be made again, because: %(problem)s") % {"problem": problem}
    if is_equal:
        return _("Bit-equal: every pixel is the same.")
    if is_equal is None:
        said = _("It was made again, but there is nothing to compare it with: the original file is not on this site.")
    elif difference is None:
        said = _("The image differs; we can’t measure by how much because the original file isn’t on this site.")
    elif difference["max_level"] is None:
        said = _("It differs: %(reason)s.") % {"reason": difference["reason"]}
    else:
        said = _("It differs by at most %(level)d of 255 in %(percent)s %% of the pixels") % {
            "level": difference["max_level"],
            "percent": f"{100 * difference['share_differing']:.3g}",
        }
        distance = difference["structural_distance"]
        said += "." if distance is None else f"; 1 − MS-SSIM {distance:.2g}."
    return f"{said} ({problem})" if problem else said
