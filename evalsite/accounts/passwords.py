"""The rules for passwords, and what a new password revokes."""

import re
import unicodedata
from itertools import pairwise

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from evalsite.accounts.access import end_all

SITE_NAME = re.compile(r"[\W_]*".join(("[e3]", "v", "[a4@]", "[l1]", "[s5$]", "[i1!]", "[t7]", "[e3]")))
FEWEST_DIFFERENT = 6


class WithoutSiteName:
    """Refuses the site's own name in a password, however it is spelt: it is the first guess that somebody would try."""

    def validate(self, password: str, user: User | None = None) -> None:
        if SITE_NAME.search(unicodedata.normalize("NFKC", password).casefold()):
            raise ValidationError(_("The password contains the name of this site."), code="password_site_name")

    def get_help_text(self) -> str:
        return _("Your password can’t contain the name of this site.")


class Unpredictable:
    """Refuses repetitions and runs: "abababababab", "abcdefghijkl", "987654321987"."""

    def validate(self, password: str, user: User | None = None) -> None:
        letters = unicodedata.normalize("NFKC", password).casefold()
        surprising = {letter for before, letter in pairwise(f"\0{letters}") if abs(ord(letter) - ord(before)) > 1}
        if len(surprising) < FEWEST_DIFFERENT:
            raise ValidationError(
                _("The password repeats itself, or runs through the alphabet or the digits."), code="password_pattern"
            )

    def get_help_text(self) -> str:
        return _("Your password can’t be a repetition or a run such as “abcdef”.")


class EndsAccess:
    """Accepts every password. Once one is saved, in whatever way, all earlier access is revoked.

    Django calls `password_changed` after saving a password, and not when it only renews the hash of the same one.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        return

    def get_help_text(self) -> str:
        return _("A new password ends all your links and API tokens, and signs you out of other browsers.")

    def password_changed(self, password: str, user: User | None = None) -> None:
        if user is not None:
            end_all(user=user)
