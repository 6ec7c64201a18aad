# Two images. `lab`: everything in the HA lab, emulator, nodes, fence-ha, and the suite. `gate`: the suite beside common fencers, for CI.
# Build where the network is the host's:
#   docker build --network host --target lab -t fencelab:lab .      (`make lab` does it)
#   docker build --network host --target gate -t fencelab:gate .    (docs/ci.md)

FROM debian:trixie-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv
RUN python3 -m venv /pip && python3 -m venv --without-pip /opt/fencelab
# Dependencies in a layer of their own: a change of our code must not download them again.
COPY pyproject.toml /src/
RUN python3 -c "import tomllib; p = tomllib.load(open('/src/pyproject.toml', 'rb'))['project']; print(*p['dependencies'], *p['optional-dependencies']['lab'], sep='\n')" > /src/requirements.txt \
 && /pip/bin/pip --python /opt/fencelab/bin/python install --no-cache-dir --disable-pip-version-check -r /src/requirements.txt
COPY README.md LICENSE fencelab_*.py /src/
COPY profiles /src/profiles
COPY fencelab_yaml /src/fencelab_yaml
COPY emulator /src/emulator
COPY fencer /src/fencer
COPY conformance /src/conformance
RUN /pip/bin/pip wheel --no-cache-dir --disable-pip-version-check --no-deps --wheel-dir /wheel /src \
 && /pip/bin/pip --python /opt/fencelab/bin/python install --no-cache-dir --disable-pip-version-check --no-deps /wheel/*.whl
COPY lab /opt/lab/lab
RUN /opt/fencelab/bin/python -m compileall -q /opt/lab/lab

FROM debian:trixie-slim AS lab
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && useradd --system --uid 999 --home-dir /nonexistent --shell /usr/sbin/nologin lab \
 && install -d -o lab -g lab /disk /state
COPY --from=build /opt/fencelab /opt/fencelab
COPY --from=build /opt/lab /opt/lab
# /opt/lab holds the lab's own programs, which are not in the wheel.
ENV PATH=/opt/fencelab/bin:/usr/local/bin:/usr/bin:/bin PYTHONPATH=/opt/lab PYTHONUNBUFFERED=1
USER lab
WORKDIR /
CMD ["bmc-emulator", "--help"]

FROM debian:trixie-slim AS gate
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 ca-certificates curl jq openssl \
      fence-agents-redfish fence-agents-ipmilan ipmitool freeipmi-tools powerman \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && useradd --create-home --uid 1000 gate \
 && install -d -o gate -g gate /work
COPY --from=build /opt/fencelab /opt/fencelab
ENV PATH=/opt/fencelab/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PYTHONUNBUFFERED=1
USER gate
WORKDIR /work
ENTRYPOINT ["fence-conformance"]
CMD ["--help"]
