"""A profile's own code: `oem.py` beside its profile.yaml, for what data cannot say.

The emulator imports it when the profile's tree is made, or with the first command of the vendor over IPMI. It is code: it comes
from the shipped profiles and from paths that the user names, and from nowhere else. It may define

  redfish(profile, names)   more resources, as an iterable of `emulator.redfish.service.resource.Resource`
  IPMI                      {(netfn, command): function of an `emulator.ipmi.call.IpmiCall` that returns the answer's data}

Both run in the emulator's thread. A function of IPMI raises
`emulator.ipmi.call.CompletionError` for a completion code other than 0.
"""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Final

from emulator.core.errors import RackMisconfigured

NO_COMMANDS: Final[Mapping[tuple[int, int], Callable[[Any], bytes]]] = MappingProxyType({})


@cache
def _module(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("fencelab_oem_code", path)
    assert spec is not None, "a path that ends in .py has a loader"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 (whatever code of others raises)
        raise RackMisconfigured(f"{_place(error, path)}: {type(error).__name__}: {error}") from None
    return module


def _place(error: Exception, path: str) -> str:
    if isinstance(error, SyntaxError):
        return f"{path}:{error.lineno}:{error.offset}"
    ours = Path(path).resolve()
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).resolve() == ours]
    return f"{path}:{lines[-1]}" if lines else path


def redfish_code(path: str | None) -> Callable[..., Any] | None:
    """The function `redfish` of a profile's code; None where there is none. Raises RackMisconfigured for code that fails."""
    return None if path is None else _checked(path, "redfish")


def ipmi_code(path: str | None) -> Mapping[tuple[int, int], Callable[[Any], bytes]]:
    """The commands of a profile's code by netfn and command. Raises RackMisconfigured for code that fails."""
    if path is None:
        return NO_COMMANDS
    found = getattr(_module(path), "IPMI", NO_COMMANDS)
    if not isinstance(found, Mapping) or not all(callable(run) for run in found.values()):
        raise RackMisconfigured(f"{path}: IPMI must be a mapping of (netfn, command) to functions")
    return found


def _checked(path: str, name: str) -> Callable[..., Any] | None:
    found = getattr(_module(path), name, None)
    if found is not None and not callable(found):
        raise RackMisconfigured(f"{path}: {name} must be a function")
    return found
