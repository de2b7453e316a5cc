"""The site's own settings, with the quick `migrate` of the tests: for a site of its own that a test starts."""

from evalsite.settings import *  # noqa: F403 (settings are names in a module)
from evalsite.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.databases", *INSTALLED_APPS]
