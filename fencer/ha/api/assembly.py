"""Puts the API together for `fence-ha run`: token, routes, server. Called in the main thread, before the manager starts."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fencer.ha.api.openapi import document
from fencer.ha.api.progress import Progress
from fencer.ha.api.routes import ANSWER_S, ROUTES, Api
from fencer.ha.api.server import ApiServer, parse_address
from fencer.ha.api.store_thread import StoreThread
from fencer.ha.api.token import load_or_make
from fencer.ha.config import Config


def make_api(config: Config, listen: str, progress: Progress, state_file: Path) -> ApiServer:
    """Raises CannotListen and BadToken."""
    address = parse_address(listen)
    store = StoreThread(state_file)
    api = Api(
        config=config,
        token=load_or_make(config.token_file),
        progress=progress,
        store=store,
        routes=ROUTES,
        document=document(ROUTES, _version()),
    )
    return ApiServer(address, api.answer, ANSWER_S, store.close)


def _version() -> str:
    try:
        return version("fencelab")
    except PackageNotFoundError:
        return "0"
