"""`DockerEngine`: the `Engine` protocol of `container`, over the docker SDK. No other file imports the SDK.

The worker threads of `ContainerHosts` call it, each with a `DockerEngine` of its own. Calls block for up to `timeout_s` seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.types.daemon import CancellableStream

from emulator.backends.container import (
    ENGINE_TIMEOUT_S,
    LABEL,
    PROJECT_LABEL,
    ContainerState,
    DockerHost,
    NotOurs,
    OrderRefused,
    OutOfSight,
)

_log = logging.getLogger("fencelab.docker")


class DockerEngine:
    """One connection to a Docker engine, opened on first use. `url` None: DOCKER_HOST, else the default socket."""

    def __init__(self, url: str | None = None, timeout_s: int = ENGINE_TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._client: docker.APIClient | None = None
        self._stream: CancellableStream[object] | None = None
        self._closed = False

    def find(self, host: DockerHost) -> ContainerState:
        with _in_sight():
            api = self._api()
            name = host.container or self._name_of(api, host)
            try:
                facts = api.inspect_container(name)
            except NotFound:
                raise OutOfSight(f"the engine has no container {name} for {host.label}") from None
        labels = facts["Config"].get("Labels") or {}
        if labels.get(LABEL) != host.label:
            raise NotOurs(f"container {name} does not carry the label {LABEL}={host.label}: it is left alone")
        if host.project is not None and labels.get(PROJECT_LABEL) != host.project:
            raise NotOurs(f"container {name} does not belong to the compose project {host.project}: it is left alone")
        state = facts["State"]
        running = bool(state["Running"]) and not state.get("Restarting")
        return ContainerState(
            id=facts["Id"], running=running, paused=running and bool(state["Paused"]), life=str(state["StartedAt"])
        )

    def _name_of(self, api: docker.APIClient, host: DockerHost) -> str:
        labels = [f"{LABEL}={host.label}"] + ([f"{PROJECT_LABEL}={host.project}"] if host.project is not None else [])
        found = api.containers(all=True, filters={"label": labels})
        if not found:
            raise OutOfSight(f"the engine has no container with {' and '.join(labels)}")
        if len(found) > 1:
            names = ", ".join(sorted(entry["Names"][0].lstrip("/") for entry in found))
            raise NotOurs(f"{len(found)} containers carry {' and '.join(labels)} ({names}): none of them is touched")
        return str(found[0]["Id"])

    def start(self, container: str) -> None:
        with _in_sight(), _may_refuse():
            self._api().start(container)

    def kill(self, container: str) -> None:
        self._signal(container, "SIGKILL")

    def ask_down(self, container: str) -> None:
        with _in_sight(), _may_refuse():
            stop_signal = self._api().inspect_container(container)["Config"].get("StopSignal") or "SIGTERM"
        # Not the engine's `stop`: it kills a container that does not react, and a hung OS must stay up.
        self._signal(container, stop_signal)

    def crash(self, container: str) -> None:
        self._signal(container, "SIGQUIT")

    def _signal(self, container: str, signal: str) -> None:
        with _in_sight(), _may_refuse():
            self._api().kill(container, signal)

    def pause(self, container: str) -> None:
        with _in_sight(), _may_refuse():
            self._api().pause(container)

    def unpause(self, container: str) -> None:
        with _in_sight(), _may_refuse():
            self._api().unpause(container)

    def changes(self) -> Iterator[str]:
        with _in_sight():
            stream = self._stream = self._api().events(decode=True, filters={"type": "container", "label": LABEL})
            if self._closed:
                stream.close()
            try:
                for event in stream:
                    yield str(event.get("Actor", {}).get("Attributes", {}).get(LABEL, ""))
            finally:
                self._stream = None

    def close(self) -> None:
        self._closed = True
        stream = self._stream
        if stream is not None:
            try:
                stream.close()
            except (OSError, AttributeError):  # the SDK uses a socket that is gone if the stream has ended by itself
                _log.debug("the event stream had ended by itself")
        if self._client is not None:
            self._client.close()

    def _api(self) -> docker.APIClient:
        if self._client is None:
            if self._url is not None:
                self._client = docker.APIClient(base_url=self._url, timeout=self._timeout_s)
            else:
                self._client = docker.from_env(timeout=self._timeout_s).api
        return self._client


@contextmanager
def _in_sight() -> Iterator[None]:
    """Turns errors of the SDK into OutOfSight."""
    try:
        yield
    except (DockerException, requests.RequestException, OSError) as error:
        raise OutOfSight(f"the Docker engine cannot be asked: {error}") from error


@contextmanager
def _may_refuse() -> Iterator[None]:
    """Turns an error that the engine answered into OrderRefused: the engine can be reached then."""
    try:
        yield
    except APIError as error:
        raise OrderRefused(str(error.explanation or error)) from error
