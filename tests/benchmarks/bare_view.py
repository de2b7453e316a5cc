"""The named alternative of annotator_loop: one Django view that inserts a rating and names the next item."""

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

if not settings.configured:
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": os.environ.get("BARE_DATABASE", ":memory:"),
                "CONN_MAX_AGE": None,
                "OPTIONS": {"timeout": 30, "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"},
            }
        },
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        SECRET_KEY=os.urandom(16).hex(),
    )
    django.setup()


def rate(request: HttpRequest, rater: int, item: int) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rating (rater, item, value) VALUES (%s, %s, %s)", [rater, item, request.POST["value"]]
        )
        cursor.execute("SELECT count(*) FROM rating WHERE rater = %s AND item = %s", [rater, item])
    following = str(item + 1)
    return HttpResponse(following, headers={"Content-Length": str(len(following))})


urlpatterns = [path("<int:rater>/<int:item>/", rate)]
application = get_wsgi_application()
