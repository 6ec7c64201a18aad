"""Puts the API together for `fence-ha run`: token, routes, server. Called in the main thread, before the manager starts."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from fencer.ha.api.openapi import document
from fencer.ha.api.progress import Progress
from fencer.ha.api.routes import ANSWER_S, ROUTES, Api
from fencer.ha.api.server import ApiServer, parse_address
from fencer.ha.api.token import load_or_make
from fencer.ha.config import Config
from fencer.ha.store import SqliteStore


def make_api(config: Config, listen: str, progress: Progress, open_store: Callable[[], SqliteStore]) -> ApiServer:
    """Raises CannotListen and BadToken."""
    address = parse_address(listen)
    api = Api(
        config=config,
        token=load_or_make(config.token_file),
        progress=progress,
        open_store=open_store,
        routes=ROUTES,
        document=document(ROUTES, _version()),
    )
    return ApiServer(address, api.answer, ANSWER_S)


def _version() -> str:
    try:
        return version("fencelab")
    except PackageNotFoundError:
        return "0"
