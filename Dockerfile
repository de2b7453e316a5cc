# syntax=docker/dockerfile:1
# Three images from one file: `web` and `worker-cpu` without torch, `worker-gpu` with the models' libraries.
# Versions come from requirements.lock, the same as everywhere.

ARG PYTHON=3.11-slim-bookworm

# --- what is installed: made in a stage of its own, so that no compiler or cache is left in the images ---------------
FROM python:${PYTHON} AS install
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 XDG_CACHE_HOME=/cache
RUN python -m venv /venv
WORKDIR /build
COPY requirements.lock ./
RUN --mount=type=cache,target=/cache \
    /venv/bin/pip install "$(grep -o '^uv==[^ ]*' requirements.lock)"
# Only the list of dependencies is needed here: a change of our code does not install everything anew.
COPY pyproject.toml ./
RUN --mount=type=cache,target=/cache \
    /venv/bin/uv pip install --quiet --python /venv/bin/python --constraints requirements.lock --requirements pyproject.toml
# Without its code the package is only its name and version, by which reports say what made them.
COPY README.md LICENSE ./
RUN /venv/bin/uv pip install --quiet --python /venv/bin/python --no-deps .

FROM install AS install-generation
RUN --mount=type=cache,target=/cache \
    /venv/bin/uv pip install --quiet --python /venv/bin/python --constraints requirements.lock \
        --requirements pyproject.toml --extra generation

# --- what all images share --------------------------------------------------------------------------------------------
FROM python:${PYTHON} AS base
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin evalsite \
    && install --directory --owner evalsite --group evalsite /data /models
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    EVALSITE_DATA_DIR=/data \
    EVALSITE_HOST=0.0.0.0
WORKDIR /app
COPY --chown=root:root manage.py ./
COPY --chown=root:root exchange exchange
COPY --chown=root:root generation generation
COPY --chown=root:root annotations annotations
COPY --chown=root:root evalsite evalsite
VOLUME /data
USER evalsite

FROM base AS web
COPY --from=install /venv /venv
EXPOSE 8000
# Static files are collected at the start, as they lie in the data volume; then gunicorn takes over as process 1.
CMD ["sh", "-c", "python manage.py collectstatic --noinput --verbosity 0 && exec gunicorn --config python:evalsite.serving.web_server evalsite.wsgi"]
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["python", "-m", "evalsite.serving.probe"]

FROM base AS worker-cpu
COPY --from=install /venv /venv
CMD ["celery", "--app", "evalsite", "worker", "--queues", "cpu", "--concurrency", "2", "--loglevel", "INFO", "--hostname", "cpu@%h"]
HEALTHCHECK --interval=30s --timeout=20s --start-period=30s --retries=3 CMD ["sh", "-c", "celery --app evalsite inspect ping --timeout 10 --destination cpu@$(hostname)"]

# One process, that loads its models after the fork and keeps them; the NVIDIA container toolkit brings the driver.
# Weights lie in a volume of their own: they are large, and can be had again.
FROM base AS worker-gpu
COPY --from=install-generation /venv /venv
ENV HF_HOME=/models
VOLUME /models
CMD ["celery", "--app", "evalsite", "worker", "--queues", "gpu", "--pool", "prefork", "--concurrency", "1", "--loglevel", "INFO", "--hostname", "gpu@%h"]
HEALTHCHECK --interval=60s --timeout=20s --start-period=120s --retries=3 CMD ["sh", "-c", "celery --app evalsite inspect ping --timeout 10 --destination gpu@$(hostname)"]
