"""The fencer is not told the password itself but where to get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from conformance.givens.given import Given

if TYPE_CHECKING:
    from emulator import Emulator


@dataclass(frozen=True, slots=True)
class PasswordFrom(Given):
    """A file whose only line is the password, or a program that prints it. Both lie beside the BMC's certificate, readable by the
    owner only, and go away with the emulator."""

    kind: Literal["file", "script"]

    @property
    def sentence(self) -> str:
        what = "a file that holds the password" if self.kind == "file" else "a program that prints the password"
        return f"the fencer is given {what}, not the password"

    @property
    def told_by(self) -> frozenset[str]:
        return frozenset({f"bmc.password_{self.kind}"})

    def arrange(self, emulator: Emulator) -> None:
        for endpoint in emulator.endpoints.values():
            file, script = _file(endpoint.ca_file), _script(endpoint.ca_file)
            for path, text, mode in (
                (file, f"{endpoint.password}\n", 0o600),
                (script, f"#!/bin/sh\nexec cat '{file}'\n", 0o700),
            ):
                path.touch(mode)
                path.write_text(text, encoding="utf-8")

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        path = (_file if self.kind == "file" else _script)(values["bmc.ca_file"])
        return {**values, "bmc.password": "", f"bmc.password_{self.kind}": str(path)}


def _file(ca_file: str) -> Path:
    return Path(ca_file).with_suffix(".password")


def _script(ca_file: str) -> Path:
    return Path(ca_file).with_suffix(".sh")
