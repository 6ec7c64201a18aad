"""Faults that several groups use."""

from __future__ import annotations

from dataclasses import replace

from conformance.givens.circumstance import Circumstance
from conformance.givens.given import TARGET
from conformance.givens.inject import Inject
from conformance.vocabulary import Protocol
from emulator import Armed, Intent, Rail, ResetType, When, make_fault


def power_commands(protocol: Protocol, rail: Rail | None = None, *resets: ResetType) -> When:
    """ComputerSystem.Reset or Chassis Control, whatever the spelling; with `resets`, only these."""
    return When(protocol=protocol, intent=Intent.POWER_COMMAND, reset=resets, rail=rail)


def falls_after(reads: int, bmc: str = TARGET) -> Inject:
    """The rail moves only when the fencer has looked so often after its first command. Silent fencers never see it fall."""
    return Inject(
        f"after an accepted power command the host moves only when its power has been read {reads} times",
        Armed(fault=make_fault("power.gate", gate=reads), must_fire=False),
        bmc,
    )


def nothing_happens() -> Inject:
    return Inject("every power command is accepted and has no effect", Armed(fault=make_fault("power.ignore")))


def refused_when_off(status: int, message_id: str, text: str, *resets: ResetType) -> Inject:
    """A reply table, not a trap: a fencer that reads first never meets it (ruling 6)."""
    which = " and ".join(resets) if resets else "every reset"
    return Inject(
        f"{which} of a host that is off is refused with HTTP {status} ({text})",
        Armed(
            fault=make_fault("redfish.reply", status=status, message_id=message_id, text=text),
            when=power_commands(Protocol.REDFISH, Rail.DOWN, *resets),
            must_fire=False,
        ),
    )


def refused_when_on(status: int, message_id: str, text: str) -> Inject:
    return Inject(
        f"every reset of a host that is on is refused with HTTP {status} ({text})",
        Armed(
            fault=make_fault("redfish.reply", status=status, message_id=message_id, text=text),
            when=power_commands(Protocol.REDFISH, Rail.UP),
        ),
    )


def completion(code: int, rail: Rail, *, must_fire: bool) -> Inject:
    state = "off" if rail is Rail.DOWN else "on"
    return Inject(
        f"Chassis Control of a host that is {state} completes with 0x{code:02X}",
        Armed(
            fault=make_fault("ipmi.completion", code=code),
            when=power_commands(Protocol.IPMI, rail),
            must_fire=must_fire,
        ),
    )


ALWAYS_ON_GET = When(method="GET")


def members(words: str, what: str, *, bmc: str = TARGET, skip: int = 0, first: int = 1) -> Circumstance:
    """The collection of systems lists its members otherwise. A fencer that is given a URI may never read it."""
    return Circumstance(
        words,
        Armed(
            fault=make_fault("redfish.members", what=what, first=first),
            when=When(method="GET", path="/redfish/v1/Systems", skip=skip),
        ),
        bmc,
    )


# -- several BMCs, IPMI, input power -----------------------------------------------------------------------------------------


def at(bmc: str, *injected: Inject) -> tuple[Inject, ...]:
    """The same faults on this BMC."""
    return tuple(replace(each, bmc=bmc) for each in injected)


def busy_once() -> Inject:
    return Inject(
        "the first Chassis Control completes with 0xC0 (node busy) and is not executed",
        Armed(fault=make_fault("ipmi.completion", code=0xC0), when=power_commands(Protocol.IPMI), count=1),
    )


def every_third(fault: str, words: str, **params: object) -> Inject:
    """Not one in three by chance: whoever sends a lost datagram again gets through."""
    return Inject(words, Armed(fault=make_fault(fault, **params), when=When(every=3)))
