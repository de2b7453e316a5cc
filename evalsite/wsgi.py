"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from evalsite.requests.bodies import RequestBodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
application = RequestBodies(get_wsgi_application())
