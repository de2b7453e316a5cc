"""A study's terms for its raters: consent, practice, checks, breaks, pay, retention."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from annotations.models.studies import Study, new_token

MOST_SHARE = 30
SHARE = [MaxValueValidator(MOST_SHARE)]
AT_LEAST_ONE = [MinValueValidator(1)]


class ConsentText(models.Model):
    """One version of what raters agree to, kept from the moment somebody agrees to it."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="consent_texts")
    number = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="consent_number_once")]

    def __str__(self) -> str:
        return f"version {self.number}"


class RaterPlan(models.Model):
    """A study's settings for its raters. A study without one has no checks, no caps and no retention rule.

    Shares are percentages of all cards that a rater sees. Money is in hundredths of the currency's unit.
    """

    study = models.OneToOneField(Study, models.CASCADE, related_name="rater_plan")
    quiz_pass_mark = models.PositiveSmallIntegerField(
        _("right answers needed to pass the quiz"),
        null=True,
        blank=True,
        validators=AT_LEAST_ONE,
        help_text=_("Empty: all of them."),
    )
    quiz_tries = models.PositiveSmallIntegerField(
        _("tries at the quiz"), default=2, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    screen_out_text = models.TextField(
        _("message for raters who do not pass"),
        blank=True,
        help_text=_("Empty: a friendly standard text that gives the reason."),
    )
    gold_share = models.PositiveSmallIntegerField(
        _("gold items, % of cards"), default=0, validators=SHARE, help_text=_("Items whose answers you know.")
    )
    check_share = models.PositiveSmallIntegerField(
        _("attention checks, % of cards"),
        default=0,
        validators=SHARE,
        help_text=_("Items that anyone who looks answers in the same way."),
    )
    repeat_share = models.PositiveSmallIntegerField(
        _("hidden repeats, % of cards"),
        default=0,
        validators=SHARE,
        help_text=_("A card that the rater has answered before. Its answer shows how consistent they are."),
    )
    mirror_share = models.PositiveSmallIntegerField(
        _("mirrored repeats, % of cards"),
        default=0,
        validators=SHARE,
        help_text=_("A repeat with the two sides swapped. Only for pairs."),
    )
    repeat_gap = models.PositiveSmallIntegerField(
        _("minimum number of cards before a repeat"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
    )
    shows_feedback = models.BooleanField(
        _("tell raters when they miss a gold item"),
        default=False,
        help_text=_("It helps people who want to learn, and it reveals which items are gold."),
    )
    break_minutes = models.PositiveSmallIntegerField(
        _("suggest a break after this many minutes"), null=True, blank=True, validators=AT_LEAST_ONE
    )
    most_per_session = models.PositiveIntegerField(
        _("maximum cards per session"),
        null=True,
        blank=True,
        validators=AT_LEAST_ONE,
        help_text=_("A session ends when a rater has not answered for 30 minutes."),
    )
    most_per_day = models.PositiveIntegerField(
        _("maximum cards per day"), null=True, blank=True, validators=AT_LEAST_ONE
    )
    content_warning = models.TextField(
        _("content warning"),
        blank=True,
        help_text=_("Raters read it before the first card. The images are blurred until they ask to see them."),
    )
    allows_skip = models.BooleanField(
        _("raters may skip a card"), default=True, help_text=_("Others then get the item. The rater loses nothing.")
    )
    reward = models.PositiveIntegerField(
        _("reward, in cents or pence"), null=True, blank=True, help_text=_("For the whole study. Empty: unpaid.")
    )
    currency = models.CharField(_("currency"), max_length=3, default="GBP")
    pay_floor = models.PositiveIntegerField(
        _("lowest hourly pay, in cents or pence"),
        default=900,
        help_text=_("You are warned when the reward for the measured time is lower than this."),
    )
    group_question = models.CharField(
        _("question about the rater’s group"),
        max_length=200,
        blank=True,
        help_text=_("Optional for raters, and in your words. Panels may forbid some questions: look at their terms."),
    )
    group_choices = models.TextField(
        _("groups, one per line"),
        blank=True,
        help_text=_("“Painter = 20” takes at most 20 raters of this group. Groups below five raters are never shown."),
    )
    rules = models.JSONField(default=list, blank=True, editable=False)
    erase_after_days = models.PositiveIntegerField(
        _("erase raters’ identities this many days after their last answer"),
        null=True,
        blank=True,
        validators=AT_LEAST_ONE,
        help_text=_("Names, accounts and panel numbers go; the answers stay under a random name. Empty: never."),
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(quiz_tries__gte=1), name="rater_plan_has_a_try"),
        ]

    def __str__(self) -> str:
        return f"plan of {self.study}"

    @property
    def groups(self) -> dict[str, int | None]:
        """By group, the most raters accepted; None for no limit."""
        found: dict[str, int | None] = {}
        for line in filter(None, map(str.strip, self.group_choices.splitlines())) if self.group_question else ():
            name, _equals, most = line.rpartition("=")
            is_limited = bool(name.strip()) and most.strip().isdecimal()
            found[name.strip() if is_limited else line] = int(most) if is_limited else None
        return found

    @property
    def shares(self) -> dict[str, int]:
        """By purpose of a card, its percentage; zero percentages are left out."""
        every = {
            "gold": self.gold_share,
            "check": self.check_share,
            "repeat": self.repeat_share,
            "mirror": self.mirror_share,
        }
        return {purpose: share for purpose, share in every.items() if share}


def plan_of(study: Study) -> RaterPlan:
    """The study's plan, or an unsaved default plan if it has none."""
    return getattr(study, "rater_plan", None) or RaterPlan(study=study)


class Erasure(models.Model):
    """A record that somebody's identity or answers were erased: counts, and nothing about the person."""

    class Kind(models.TextChoices):
        EVERYTHING = "everything", _("the answers and the identity")
        IDENTITY = "identity", _("the identity alone")

    study = models.ForeignKey(Study, models.CASCADE, related_name="erasures")
    kind = models.CharField(max_length=10, choices=Kind)
    by_rule = models.BooleanField(default=False)
    n_cards = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on {self.at:%Y-%m-%d}"


class TextImage(models.Model):
    """An image in the texts that raters read before and while they rate, such as the instructions.

    `file` holds only pixels, as for rated images. `token` names it in addresses; raters never see `name`, by which the
    study's texts refer to it.
    """

    study = models.ForeignKey(Study, models.CASCADE, related_name="text_images")
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    name = models.CharField(max_length=60)
    file = models.FileField(upload_to="texts/")
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "name"]
        constraints = [models.UniqueConstraint(fields=["study", "name"], name="text_image_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def line(self) -> str:
        """What to type where the image should be."""
        return f"![]({self.name})"
