"""Browser sessions in the database, each with its person, so that all sessions of one person can be found and ended.

Django's own table holds the person only inside the encoded data.
"""

from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from evalsite.models import BrowserSession
from generation.queries.prepared import Prepared

MOST_KEY_LETTERS = 40
_SESSION = Prepared(lambda key: BrowserSession.objects.filter(session_key=key), key=str)


class SessionStore(DatabaseStore):
    """It has the name of Django's own class, so that sessions from before this table are decoded with the same salt."""

    @classmethod
    def get_model_class(cls) -> type[BrowserSession]:
        return BrowserSession

    def _get_session_from_db(self) -> BrowserSession | None:
        """Like Django's own, which every request runs: the row of this key, unless it has expired."""
        session = _SESSION.first(key=self.session_key or "")
        if session is not None and session.expire_date > timezone.now():
            return session
        self._session_key: str | None = None
        return None

    def create_model_instance(self, data: dict[str, Any]) -> BrowserSession:
        session = cast("BrowserSession", super().create_model_instance(data))
        session.user_id = data.get(SESSION_KEY)
        return session

    def _validate_session_key(self, key: str) -> bool:
        """Whether the key may be this site's. A cookie may hold anything, and PostgreSQL takes no NUL in a text."""
        return bool(key) and key.isascii() and key.isalnum() and 8 <= len(key) <= MOST_KEY_LETTERS
