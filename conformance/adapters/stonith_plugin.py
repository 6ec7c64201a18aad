"""External STONITH plugins of cluster-glue: parameters in the environment, the operation and the host on the command line.

The interface (cluster-glue, `doc/stonith/README.external`) as the suite uses it: `PLUGIN OPERATION [HOST]`, exit 0 is success and
everything else a failure. `status` asks whether the *device* can be used and says nothing of the host, so such a plugin cannot be
asked for the power state of a host.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, Self

from conformance.adapters.agent import DONE
from conformance.adapters.base import Adapter, Invocation
from conformance.adapters.placeholders import fill, fill_map, parts
from conformance.adapters.process import Ended, run
from conformance.adapters.programs import StandIns, find, lack
from conformance.adapters.section import Section, present
from conformance.outcome import FencerOutcome
from conformance.vocabulary import Ask, Claim

PLUGINS: Final = Path("/usr/lib/stonith/plugins/external")
"""Where cluster-glue keeps plugins; a plain name is looked for there first."""
SHARED: Final = "/usr/share/cluster-glue"
"""Where `ha_log.sh` lies, which plugins call by its name. cluster-glue puts it into PATH for them."""
OPERATIONS: Final[Mapping[Ask, str]] = {
    Ask.OFF: "off",
    Ask.ON: "on",
    Ask.REBOOT: "reset",
    Ask.MONITOR: "status",
    Ask.LIST: "gethosts",
    Ask.METADATA: "getinfo-xml",
    Ask.VALIDATE_ALL: "getconfignames",
}
OF_A_HOST: Final = frozenset({Ask.OFF, Ask.ON, Ask.REBOOT})
"""Operations that are given the host as well."""


@dataclass(frozen=True, kw_only=True)
class StonithPluginAdapter(Adapter):
    """Adapter `stonith-plugin`. `host` is what the plugin calls the machine; without the key it is the parameter `hostname`."""

    name: ClassVar[str] = "stonith-plugin"
    form: ClassVar[str] = "conformance.fencer_forms.stonith_plugin:STONITH_PLUGIN"

    plugin: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    host: str = ""

    @classmethod
    def read(cls, section: Section, base: Self | None) -> Self:
        params = present({**(base.params if base is not None else {}), **section.texts("params")})
        plugin = next(parts(section.words("command")), base.plugin if base is not None else "")
        host = section.raw("host") or (base.host if base is not None else params.get("hostname", ""))
        return cls(folder=section.folder, built_in=section.built_in, plugin=plugin, params=params, host=host)

    @property
    def asks(self) -> frozenset[Ask]:
        return frozenset(OPERATIONS)

    def texts(self) -> Iterator[str]:
        yield self.host
        yield from self.params.values()

    def missing(self) -> str | None:
        return None if self._path() is not None else lack(self.plugin, self.folder)

    def run(self, invocation: Invocation) -> FencerOutcome:
        stand_ins = StandIns(invocation.watch)
        params = fill_map(self.params, invocation.bmc)
        host = fill(self.host, invocation.bmc) or ""
        ended = run(
            (self._path() or self.plugin, OPERATIONS[invocation.ask], *((host,) if invocation.ask in OF_A_HOST else ())),
            invocation,
            stand_ins,
            env={**params, "PATH": os.pathsep.join((stand_ins.environment()["PATH"], SHARED))},
            cwd=self.working_directory(invocation),
        )
        return ended.outcome(invocation, claim_of(invocation.ask, ended, params, host))

    def _path(self) -> str | None:
        own = PLUGINS / self.plugin
        if "/" not in self.plugin and own.is_file() and os.access(own, os.X_OK):
            return str(own)
        return find(self.plugin, self.folder)


def claim_of(ask: Ask, ended: Ended, params: Mapping[str, str], host: str) -> Claim:
    """What the end of an operation says.

    `gethosts` must print the host. Every name that `getconfignames` prints must be a parameter, or cluster-glue does not use the
    plugin.
    """
    if ended.exit is None:
        return Claim.NONE
    printed = frozenset(ended.stdout.split())
    lists_others = ask is Ask.LIST and host not in printed
    lacks_parameters = ask is Ask.VALIDATE_ALL and not printed <= params.keys()
    if ended.exit != 0 or lists_others or lacks_parameters:
        return Claim.FAILED
    return DONE[ask]
