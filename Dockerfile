# Tunebench in a container, with its embedded models and data baked in: it runs without a network.
#
#     docker build -t tunebench .
#     docker run -p 7860:7860 -v tunebench:/data tunebench
#
# Layers in the order in which they change: the system, the packages, the assets, the app. A change of the app rebuilds the last.
FROM python:3.11-slim-bookworm

# Spaces run an image as user 1000. /data is where a Space mounts its storage, and where a volume belongs elsewhere.
RUN useradd --create-home --uid 1000 user \
    && install --directory --owner=user --group=user /data
USER 1000
WORKDIR /home/user/app
ENV HOME=/home/user \
    PATH=/home/user/.local/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TUNEBENCH_CACHE=/home/user/.cache/tunebench \
    TUNEBENCH_RUNS=/data/runs \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860

# PyTorch's default build for Linux brings CUDA. For a much smaller image give PyTorch's index of CPU builds as an argument.
ARG PIP_EXTRA_INDEX_URL=""
COPY --chown=user:user requirements.txt ./
RUN pip install --no-cache-dir --user -r requirements.txt

# What fetches the assets, and nothing that changes more often. "setup" instead of "fetch --all" bakes in the first run's only.
ARG ASSETS="fetch --all"
COPY --chown=user:user engine/__init__.py engine/
COPY --chown=user:user engine/core engine/core
COPY --chown=user:user engine/assets engine/assets
COPY --chown=user:user demo/examples demo/examples
RUN python -m engine.assets ${ASSETS}

COPY --chown=user:user app.py README.md ./
COPY --chown=user:user engine engine
COPY --chown=user:user demo demo

EXPOSE 7860
# No HEALTHCHECK: Spaces judge by the port, and an unhealthy mark during a long start makes some hosts restart the container for ever.
# Where one is wanted: docker run --health-cmd "python -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:7860/\")'"
CMD ["python", "app.py"]
