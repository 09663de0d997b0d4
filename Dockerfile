# One image for every service of docker-compose.yaml: what `make setup` puts on a laptop, and nothing else.
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install --yes --no-install-recommends make openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home bookstore \
    && install --directory --owner=bookstore /opt/bookstore /var/lib/localcloud

USER bookstore
WORKDIR /opt/bookstore
COPY --chown=bookstore . .
RUN make setup

ENV PATH=/opt/bookstore/.venv/bin:$PATH
ENTRYPOINT ["python", "-m", "localcloud.services", "--home", "/var/lib/localcloud"]
