"""All settings, read from the environment by one reader; with no environment at all, a clone runs.

Every variable is in docs/operations.md. A bad value stops the start and says the variable, the value and the cure.
"""

import sys
from datetime import timedelta
from pathlib import Path

from evalsite import quiet_libraries
from evalsite.environment import Environment, secret_key_from

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

# --- where things are kept -------------------------------------------------------------------------------------------
DATA_DIR = env.path("EVALSITE_DATA_DIR", BASE_DIR / "data", "the folder for database, images, broker and secret")
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'evalsite.sqlite3'}")}
DATABASE_MAX_AGE = env.integer("EVALSITE_DATABASE_MAX_AGE", 60, low=0, high=86_400)
IS_SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
if IS_SQLITE:
    DATABASES["default"]["CONN_MAX_AGE"] = None
    DATABASES["default"]["OPTIONS"] = {
        # A transaction takes the write lock when it begins: upgrading a read lock later could fail without waiting.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        # FULL: an answer that was acknowledged survives a power cut. WAL: readers never wait for the writer.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
            "PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY;"
        ),
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = DATABASE_MAX_AGE
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

S3_BUCKET = env.text("EVALSITE_S3_BUCKET", "")
S3_ENDPOINT = env.text("EVALSITE_S3_ENDPOINT", "")
S3_REGION = env.text("EVALSITE_S3_REGION", "")
MEDIA_ROOT = DATA_DIR / "media"
if S3_BUCKET:
    _file_storage = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": S3_ENDPOINT or None,
            "region_name": S3_REGION or None,
            "default_acl": "private",
            "querystring_auth": True,
            "file_overwrite": False,
        },
    }
else:
    _file_storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": MEDIA_ROOT}}
STORAGES = {
    "default": _file_storage,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- who may talk to the site ----------------------------------------------------------------------------------------
DEBUG = env.boolean("EVALSITE_DEBUG", default=False)
SECRET_KEY = env.text("EVALSITE_SECRET_KEY", "", secret=True) or secret_key_from(DATA_DIR / "secret_key")
ALLOWED_HOSTS = env.words("EVALSITE_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.origins("EVALSITE_CSRF_TRUSTED_ORIGINS", [])
HTTPS = env.boolean("EVALSITE_HTTPS", default=False)
PROXIES = env.integer("EVALSITE_PROXIES", 0, low=0, high=9)  # so many of X-Forwarded-For's last entries are believed
HSTS_SECONDS = env.integer("EVALSITE_HSTS_SECONDS", 3600, low=0, high=63_072_000)
if HTTPS:
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = HSTS_SECONDS
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SESSION_COOKIE_AGE = 60 * 60 * 24 * 60
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
UPLOAD_MAX_BYTES = env.integer("EVALSITE_UPLOAD_MAX_MB", 4096, low=1, high=1_048_576) * 2**20

# --- the application -------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "axes",
    "evalsite",
    "annotations",
    "generation",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "evalsite.middleware.ContentSecurityPolicy",
    "evalsite.middleware.PrivateByDefault",
    "evalsite.middleware.RefuseOddRequests",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # the last, as it looks at what a sign-in came to
]
ROOT_URLCONF = "evalsite.urls"
WSGI_APPLICATION = "evalsite.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "evalsite" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # the first: whoever guesses is refused before a password is looked at
    "django.contrib.auth.backends.ModelBackend",
    "sesame.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
SESAME_MAX_AGE = 60 * 60 * 24 * 60
# A personal link goes on working when the account gets a password; it ends with its age or its account.
SESAME_INVALIDATE_ON_PASSWORD_CHANGE = False
# Guesses are counted by name and address together: a stranger's guesses elsewhere shut nobody out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = env.integer("EVALSITE_SIGN_IN_TRIES", 10, low=3, high=100)
AXES_COOLOFF_TIME = timedelta(minutes=env.integer("EVALSITE_SIGN_IN_PAUSE_MINUTES", 15, low=1, high=1440))
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # trying again too early does not make the pause longer
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "evalsite.guessing.name_tried"
AXES_CLIENT_IP_CALLABLE = "evalsite.guessing.client_address"
AXES_WHITELIST_CALLABLE = "evalsite.guessing.is_without_password"
AXES_LOCKOUT_CALLABLE = "evalsite.guessing.refusal"
AXES_SENSITIVE_PARAMETERS = ["username", "csrfmiddlewaretoken"]  # not copied from the form, as passwords never are
AXES_DISABLE_ACCESS_LOG = True  # nobody needs a list of who signed in when
AXES_ENABLE_ADMIN = False
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "home"

# --- language, time, static files, mail, log -------------------------------------------------------------------------
LANGUAGE_CODE = env.text("EVALSITE_LANGUAGE", "en")
LOCALE_PATHS = [BASE_DIR / "evalsite" / "locale"]
TIME_ZONE = env.time_zone("EVALSITE_TIME_ZONE", "UTC")
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
globals().update(env.email("EMAIL_URL", "consolemail://"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"news": {"()": "django.utils.log.CallbackFilter", "callback": quiet_libraries.is_news}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["console"],
        "level": env.choice("EVALSITE_LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"]),
    },
    "loggers": {
        **{name: {"filters": ["news"]} for name in quiet_libraries.LOGGERS},
        "axes": {"level": "ERROR"},  # it has several lines for every sign-in; Django itself notes a refusal
    },
}

# --- API -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.CursorPagination",
    "PAGE_SIZE": 100,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "evalsite",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "StudyState": "annotations.models.Study.State",
        "ImportState": "generation.models.ImportRun.State",
        "RunState": "generation.models.Run.State",
    },
}

# --- where models run ------------------------------------------------------------------------------------------------
GENERATION_ENDPOINTS = env.endpoints("EVALSITE_ENDPOINTS")  # by name: address and key
GENERATION_DEVICE = env.device("EVALSITE_DEVICE", "auto")
GENERATION_LEASE_SECONDS = env.integer("EVALSITE_LEASE_SECONDS", 60, low=2, high=3600)

# --- background work -------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.broker("CELERY_BROKER_URL", "filesystem://")
BROKER_DIR = DATA_DIR / "broker"
CELERY_TASK_DEFAULT_QUEUE = "cpu"
CELERY_TASK_IGNORE_RESULT = True  # the database is the truth; messages are only hints
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# Work whose message was lost or whose worker died is sent on its way again.
CELERY_BEAT_SCHEDULE = {
    task: {"task": task, "schedule": 60.0}
    for task in ("generation.tasks.resume_imports", "annotations.tasks.resume_reports")
}
# Looked for several times within a lease, so that a dead worker's step waits little longer than its lease.
CELERY_BEAT_SCHEDULE["generation.tasks.resume_runs"] = {
    "task": "generation.tasks.resume_runs",
    "schedule": min(20.0, GENERATION_LEASE_SECONDS / 3),
}
if CELERY_BROKER_URL.startswith("filesystem://"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "messages"),
        "data_folder_out": str(BROKER_DIR / "messages"),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.1,
    }
elif CELERY_BROKER_URL.startswith("redis"):
    # A task that runs longer than this is delivered a second time: keep it far above the longest one.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 6 * 3600}

env.close(known_prefix="EVALSITE_", program=Path(sys.argv[0]).name)
