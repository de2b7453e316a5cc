"""All settings, read from the environment by one reader; with no environment at all, a clone runs.

Every variable is in docs/operations.md. A bad value stops the start and says the variable, the value and the cure.
"""

import sys
from datetime import timedelta
from pathlib import Path

from evalsite.environment import Environment, keep_private, secret_key_from
from evalsite.requests import log_lines
from evalsite.serving import quiet_libraries

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

# --- where things are kept -------------------------------------------------------------------------------------------
DATA_DIR = env.path("EVALSITE_DATA_DIR", BASE_DIR / "data", "the folder for database, images, broker and secret")
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'evalsite.sqlite3'}")}
DATABASE_MAX_AGE = env.integer("EVALSITE_DATABASE_MAX_AGE", 60, low=0, high=86_400)
IS_SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
if IS_SQLITE:
    keep_private(Path(DATABASES["default"]["NAME"]))
    DATABASES["default"]["CONN_MAX_AGE"] = None
    DATABASES["default"]["OPTIONS"] = {
        # A transaction takes the write lock when it begins: upgrading a read lock later could fail without waiting.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        # FULL: an answer that was acknowledged survives a power cut; fullfsync is what that takes on macOS, and nothing
        # elsewhere. WAL: readers never wait for the writer. secure_delete: what is erased is overwritten in the file.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA fullfsync=ON; PRAGMA foreign_keys=ON; "
            "PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON;"
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
    "staticfiles": {"BACKEND": "evalsite.static_files.WholeFiles"},
}

# --- who may talk to the site ----------------------------------------------------------------------------------------
DEBUG = env.boolean("EVALSITE_DEBUG", default=False)
SECRET_KEY = env.text("EVALSITE_SECRET_KEY", "", secret=True) or secret_key_from(DATA_DIR / "secret_key")
ALLOWED_HOSTS = env.words("EVALSITE_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.origins("EVALSITE_CSRF_TRUSTED_ORIGINS", [])
HTTPS = env.boolean("EVALSITE_HTTPS", default=False)
PROXIES = env.integer("EVALSITE_PROXIES", 0, low=0, high=9)  # this many of X-Forwarded-For's last entries are believed
HSTS_SECONDS = env.integer("EVALSITE_HSTS_SECONDS", 31_536_000, low=0, high=63_072_000)
HSTS_SUBDOMAINS = env.boolean("EVALSITE_HSTS_SUBDOMAINS", default=False)
if HTTPS:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^(healthz|livez)/$"]  # a probe would take a redirect for good news
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = HSTS_SECONDS
    SECURE_HSTS_INCLUDE_SUBDOMAINS = HSTS_SUBDOMAINS
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SESSION_COOKIE_AGE = 60 * 60 * 24 * 60
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700  # wherever they are copied to
UPLOAD_MAX_BYTES = env.integer("EVALSITE_UPLOAD_MAX_MB", 4096, low=1, high=1_048_576) * 2**20
IMAGE_STORES = env.folders("EVALSITE_IMAGE_STORES")  # images may be fetched from addresses that begin with these
WEBHOOK_HOSTS = env.words("EVALSITE_WEBHOOK_HOSTS", [])  # hosts, or host:port, that events may go to though private
UPLOAD_DAYS = env.integer("EVALSITE_UPLOAD_DAYS", 7, low=1, high=3650)

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
    "drf_spectacular",
    "axes",
    "evalsite",
    "annotations",
    "generation",
]
MIDDLEWARE = [
    "evalsite.requests.log.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "evalsite.requests.compression.CompressText",
    "evalsite.middleware.BrowserPolicies",
    "evalsite.middleware.PrivateByDefault",
    "evalsite.middleware.RefuseOddRequests",
    "evalsite.middleware.UnavailableForNow",
    "evalsite.middleware.LimitsByAddress",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "evalsite.requests.languages.Languages",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "evalsite.api.headers.ApiHeaders",
    "evalsite.api.idempotency.IdempotencyKeys",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # the last, because it looks at a sign-in's result
]
FORM_RENDERER = "evalsite.requests.form_fields.Renderer"
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
                "evalsite.commands.context",
                "evalsite.requests.languages.context",
            ],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # the first: anyone who guesses is refused before a password is looked at
    "django.contrib.auth.backends.ModelBackend",
    "sesame.backends.ModelBackend",
]
PASSWORD_LETTERS = env.integer("EVALSITE_PASSWORD_LETTERS", 12, low=8, high=64)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": PASSWORD_LETTERS},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "evalsite.accounts.passwords.WithoutSiteName"},
    {"NAME": "evalsite.accounts.passwords.Unpredictable"},
    {"NAME": "evalsite.accounts.passwords.EndsAccess"},
]
PASSWORD_RESET_TIMEOUT = 60 * 60 * 24
SESSION_ENGINE = "evalsite.accounts.sessions"
LINK_DAYS = env.integer("EVALSITE_LINK_DAYS", 60, low=1, high=365)
RESEARCHER_LINK_DAYS = env.integer("EVALSITE_RESEARCHER_LINK_DAYS", 7, low=1, high=365)
TOKEN_DAYS = env.integer("EVALSITE_TOKEN_DAYS", 90, low=1, high=365)
SESAME_MAX_AGE = timedelta(days=max(LINK_DAYS, RESEARCHER_LINK_DAYS))
# evalsite.accounts.links ends links with a new password, by number: a renewed hash of the same password ends none.
SESAME_INVALIDATE_ON_PASSWORD_CHANGE = False
# Guesses are counted by name and address together: a stranger's guesses elsewhere do not lock anybody out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = env.integer("EVALSITE_SIGN_IN_TRIES", 10, low=3, high=100)
AXES_COOLOFF_TIME = timedelta(minutes=env.integer("EVALSITE_SIGN_IN_PAUSE_MINUTES", 15, low=1, high=1440))
SIGN_IN_TRIES_PER_ADDRESS = env.integer("EVALSITE_SIGN_IN_TRIES_PER_ADDRESS", 50, low=3, high=100_000)
AXES_HANDLER = "evalsite.requests.guessing.CountsByAddressToo"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # trying again too early does not make the pause longer
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "evalsite.requests.guessing.name_tried"
AXES_CLIENT_IP_CALLABLE = "evalsite.requests.guessing.client_address"
AXES_LOCKOUT_CALLABLE = "evalsite.requests.guessing.refusal"
AXES_SENSITIVE_PARAMETERS = ["username", "csrfmiddlewaretoken"]  # not copied from the form, as passwords never are
AXES_DISABLE_ACCESS_LOG = True  # nobody needs a list of who signed in when
AXES_ENABLE_ADMIN = False
JOINS_PER_HOUR = env.integer("EVALSITE_JOINS_PER_HOUR", 200, low=1, high=1_000_000)
PASSWORD_MAILS_PER_HOUR = env.integer("EVALSITE_PASSWORD_MAILS_PER_HOUR", 20, low=1, high=1_000_000)
API_CALLS_PER_MINUTE = env.integer("EVALSITE_API_CALLS_PER_MINUTE", 1200, low=1, high=1_000_000)
API_STRANGER_CALLS_PER_MINUTE = env.integer("EVALSITE_API_STRANGER_CALLS_PER_MINUTE", 120, low=1, high=1_000_000)
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "home"

# --- language, time, static files, mail, log -------------------------------------------------------------------------
# Only what is translated, each under the name that its readers know. Django would otherwise answer in any of its own
# hundred languages, with our texts in English between.
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文"), ("de", "Deutsch"), ("es", "Español"), ("ar", "العربية")]
# Raters' and auditors' pages have every language above; those of researchers only these, and otherwise English.
RESEARCHER_LANGUAGES = ["en", "zh-hans"]
LOCALE_PATHS = [DATA_DIR / "locale"]  # compiled from evalsite/locale when a process starts
LANGUAGE_COOKIE_AGE = 60 * 60 * 24 * 365
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_CODE = env.choice("EVALSITE_LANGUAGE", "en", [code for code, _ in LANGUAGES])
TIME_ZONE = env.time_zone("EVALSITE_TIME_ZONE", "UTC")
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
globals().update(_email := env.email("EMAIL_URL", "console://"))
SENDS_MAIL = _email["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
ACCESS_LOG = env.boolean("EVALSITE_ACCESS_LOG", default=False)
LOG_FORMAT = env.choice("EVALSITE_LOG_FORMAT", "text", ["text", "json"])
_CALLBACK = "django.utils.log.CallbackFilter"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s"},
        "json": {"()": log_lines.JsonLines},
    },
    "filters": {
        "news": {"()": _CALLBACK, "callback": quiet_libraries.is_news},
        "request": {"()": _CALLBACK, "callback": log_lines.add_request_id},
        "refusals": {"()": _CALLBACK, "callback": log_lines.leave_out_harmless_traceback},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["request"]}},
    "root": {
        "handlers": ["console"],
        "level": env.choice("EVALSITE_LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"]),
    },
    "loggers": {
        **{name: {"filters": ["news"]} for name in quiet_libraries.LOGGERS},
        "django.request": {"filters": ["refusals"]},
        "axes": {"level": "ERROR"},  # it has several lines for every sign-in; Django itself logs a refusal
    },
}

# --- API -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "evalsite.accounts.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["evalsite.api.reading.StrictJson"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "evalsite.api.reading.AlwaysTheSame",
    "DEFAULT_THROTTLE_CLASSES": ["evalsite.api.throttling.PerCaller"],
    "EXCEPTION_HANDLER": "evalsite.api.errors.answer_exception",
    "DEFAULT_SCHEMA_CLASS": "evalsite.api.schema.DescribedWithRefusals",
    "DEFAULT_PAGINATION_CLASS": "evalsite.api.paging.ByKey",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "evalsite",
    "VERSION": "1",
    "DESCRIPTION": (
        "Send a token as `Authorization: Token KEY`; people make tokens on the page “Your account”. Bodies are JSON in "
        "UTF-8, imports are multipart forms. Every refusal is JSON: 405 for a method that an address does not have, "
        "308 for an address that lacks its slash, 429 and 503 with `Retry-After`."
    ),
    "SERVE_INCLUDE_SCHEMA": False,
    "OAS_VERSION": "3.1.1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "StudyState": "annotations.models.Study.State",
        "ImportState": "generation.models.ImportRun.State",
        "RunState": "generation.models.Run.State",
        "DeliveryState": "annotations.models.Delivery.State",
        "QuestionKind": "annotations.models.Dimension.Kind",
        "MethodKind": "generation.models.Method.Kind",
        "RaterKind": "annotations.models.Rater.Kind",
        "Event": "annotations.models.webhooks.Event",
    },
}

# --- where models run ------------------------------------------------------------------------------------------------
GENERATION_ENDPOINTS = env.endpoints("EVALSITE_ENDPOINTS")  # by name: address and key
GENERATION_DEVICE = env.device("EVALSITE_DEVICE", "auto")
GENERATION_LEASE_SECONDS = env.integer("EVALSITE_LEASE_SECONDS", 60, low=2, high=3600)

# --- panels of paid raters --------------------------------------------------------------------------------------------
PROLIFIC_ADDRESS = env.text("EVALSITE_PROLIFIC_ADDRESS", "https://api.prolific.com").rstrip("/")
PROLIFIC_TOKEN = env.text("EVALSITE_PROLIFIC_TOKEN", "", secret=True)
PROLIFIC_WEBHOOK_SECRET = env.text("EVALSITE_PROLIFIC_WEBHOOK_SECRET", "", secret=True)

# --- background work -------------------------------------------------------------------------------------------------
BACKGROUND_MODULE = "evalsite.celery"  # has the Celery application; modules with tasks load it
CELERY_BROKER_URL = env.broker("CELERY_BROKER_URL", "filesystem://")
BROKER_DIR = DATA_DIR / "broker"
CELERY_TASK_DEFAULT_QUEUE = "cpu"
CELERY_TASK_ROUTES = {"generation.tasks.run_import": {"queue": "imports"}}
CELERY_TASK_IGNORE_RESULT = True  # the database is the truth; messages are only hints
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_POOL = "evalsite.background.pool:TaskPool"  # where a command names no other
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BEAT_SCHEDULER = "evalsite.background.clock:Clock"
# Work whose message was lost or whose worker died is sent on its way again. Looked for several times within a lease, so
# that it waits little longer than the lease.
CELERY_BEAT_SCHEDULE = {
    task: {"task": task, "schedule": seconds}
    for task, seconds in {
        "generation.tasks.resume_imports": min(10.0, GENERATION_LEASE_SECONDS / 3),
        "generation.tasks.resume_runs": min(20.0, GENERATION_LEASE_SECONDS / 3),
        "annotations.tasks.resume_reports": min(20.0, GENERATION_LEASE_SECONDS / 3),
        "annotations.tasks.tend_studies": 5.0,
        "annotations.tasks.forget_old_deliveries": 3600.0,
        "annotations.tasks.poll_panels": 30.0,
        "annotations.tasks.prepare_images": 60.0,
        "annotations.tasks.keep_retention_rules": 3600.0,
        "generation.tasks.remove_unused_uploads": 3600.0,
        "evalsite.tasks.clear_sessions": 3600.0,
        "evalsite.tasks.clear_idempotent_calls": 3600.0,
    }.items()
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
