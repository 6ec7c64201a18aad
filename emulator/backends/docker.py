"""A Docker engine as a back end sees it: an `Engine` over the docker SDK. The only file that imports the SDK."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, NotFound

from emulator.backends.container import (
    LABEL,
    PATIENCE,
    PROJECT_LABEL,
    ContainerState,
    DockerHost,
    NotOurs,
    OrderRefused,
    OutOfSight,
)

_log = logging.getLogger("fencelab.docker")


class DockerEngine:
    """An `Engine` over the docker SDK, connected when it is first asked. `url` None: DOCKER_HOST, else the usual socket."""

    def __init__(self, url: str | None = None, patience: int = PATIENCE) -> None:
        self._url = url
        self._patience = patience
        self._client: docker.APIClient | None = None
        self._stream: Any = None
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
        # Not the engine's `stop`: that kills what does not answer, and an OS that hangs must stay up.
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
            self._stream = self._api().events(decode=True, filters={"type": "container", "label": LABEL})
            if self._closed:
                self._stream.close()
            try:
                for event in self._stream:
                    yield str(event.get("Actor", {}).get("Attributes", {}).get(LABEL, ""))
            finally:
                self._stream = None

    def close(self) -> None:
        self._closed = True
        stream = self._stream
        if stream is not None:
            try:
                stream.close()
            except (OSError, AttributeError):  # the SDK reaches for a socket that is gone once the stream has ended by itself
                _log.debug("the event stream had ended by itself")
        if self._client is not None:
            self._client.close()

    def _api(self) -> docker.APIClient:
        if self._client is None:
            if self._url is not None:
                self._client = docker.APIClient(base_url=self._url, timeout=self._patience)
            else:
                self._client = docker.from_env(timeout=self._patience).api
        return self._client


@contextmanager
def _in_sight() -> Iterator[None]:
    try:
        yield
    except (DockerException, requests.RequestException, OSError) as error:
        raise OutOfSight(f"the Docker engine cannot be asked: {error}") from error


@contextmanager
def _may_refuse() -> Iterator[None]:
    """An engine that answers with an error is in sight."""
    try:
        yield
    except APIError as error:
        raise OrderRefused(str(error.explanation or error)) from error
