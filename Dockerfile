# syntax=docker/dockerfile:1
# Images of a TOM with the plugin. Targets: web (pages, API; no TensorFlow), worker (streams, classifiers and all commands).
#   docker build --target web -t tom-alerce-web .
#   docker build --target worker -t tom-alerce-worker .

FROM python:3.11-slim-bookworm AS build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1
RUN pip install --no-cache-dir "uv>=0.5,<1"
WORKDIR /src
COPY pyproject.toml setup.cfg README.md LICENSE ./
COPY broker_adapters broker_adapters
COPY classifiers classifiers
COPY followup followup
COPY tom_alerce tom_alerce
COPY deploy deploy

FROM build AS build-web
RUN python -m venv /opt/venv \
 && uv pip install --python /opt/venv/bin/python --override deploy/web.overrides ".[postgresql,deploy]"

FROM build AS build-worker
RUN python -m venv /opt/venv \
 && uv pip install --python /opt/venv/bin/python --override deploy/worker.overrides ".[postgresql,deploy]"

FROM python:3.11-slim-bookworm AS base
# light-curve is linked with OpenMP
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /home/tom tom \
 && install --directory --owner=tom --group=tom /srv/tom/media /var/cache/alerce
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=deploy.tom.settings \
    PYTHONPATH=/srv/tom \
    STATIC_ROOT=/srv/tom/static \
    MEDIA_ROOT=/srv/tom/media \
    TOM_ALERCE_DEMO_DATA=/tmp/demo \
    NUMBA_CACHE_DIR=/var/cache/alerce \
    MPLCONFIGDIR=/tmp/matplotlib \
    XDG_CACHE_HOME=/tmp/cache \
    XDG_CONFIG_HOME=/tmp/config
WORKDIR /srv/tom
COPY demo/__init__.py demo/settings.py demo/urls.py demo/
COPY deploy/__init__.py deploy/manage.py deploy/
COPY deploy/tom deploy/tom
STOPSIGNAL SIGTERM

FROM base AS web
COPY --from=build-web /opt/venv /opt/venv
# collectstatic asks neither for the key nor for the database
RUN SECRET_KEY=only-while-the-image-is-built ALLOWED_HOSTS=localhost python deploy/manage.py collectstatic --noinput -v 0
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "deploy.tom.wsgi", "--bind=0.0.0.0:8000", "--workers=2", "--threads=4", "--max-requests=10000", "--max-requests-jitter=1000", "--access-logfile=-", "--worker-tmp-dir=/dev/shm"]

FROM base AS worker
COPY --from=build-worker /opt/venv /opt/venv
ENV TF_CPP_MIN_LOG_LEVEL=2
USER 10001:10001
CMD ["python", "deploy/manage.py", "alerce_run", "--no-streams"]
