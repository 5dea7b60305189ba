# Finding Nemo on CPUs: predictions, pages and the server. docs/deploy.md says how it is run.
#
#   docker build --tag nemo-image .
#   docker build --tag nemo-image --build-arg EXTRAS=fast,serve,remote,video .
#
# The extra video is left out by default: the wheel of PyAV carries encoders under the GPL.

# 3.11: the version that the tests run on.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip install --no-cache-dir "setuptools>=77.0.3"
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
ARG EXTRAS=fast,serve
COPY --from=build /wheels /wheels
RUN python -m venv /app
RUN /app/bin/pip install --no-cache-dir "$(ls /wheels/*.whl)[$EXTRAS]"
# What the program keeps: dropped frames, reviews, caches. The user has nothing else to write.
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin nemo && install -d -o 10001 -g 10001 -m 700 /data
USER 10001
WORKDIR /data
VOLUME /data
ENV PATH=/app/bin:/usr/local/bin:/usr/bin:/bin HOME=/data PYTHONUNBUFFERED=1
EXPOSE 8765
# SIGTERM: accepted work is answered before the end, which may take 60 s (docker stop --time 75).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8765/health', timeout=4)"]
ENTRYPOINT ["finding-nemo"]
CMD ["serve", "/bundle", "--host", "0.0.0.0", "--folder", "/data/session"]
