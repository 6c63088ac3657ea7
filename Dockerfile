# Build: the locked set and the package, into a virtual environment.
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir "uv>=0.13,<0.14"
WORKDIR /src
ENV UV_PROJECT_ENVIRONMENT=/opt/tagwire UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --frozen --no-default-groups --no-install-project
COPY bot bot
COPY config config
RUN uv sync --frozen --no-default-groups --no-editable

# Run: nobody special, a read-only root, everything that changes in /data.
FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /data tagwire && install -d -o tagwire /data
COPY --from=build /opt/tagwire /opt/tagwire
ENV PATH=/opt/tagwire/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TAGWIRE_DATABASE=sqlite:////data/tagwire.db \
    TAGWIRE_WEB__PORT=8080
USER tagwire
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["tagwire"]
CMD ["run"]
