"""Faults that several groups use."""

from __future__ import annotations

from dataclasses import replace

from conformance.givens.circumstance import Circumstance
from conformance.givens.given import TARGET
from conformance.givens.inject import Inject
from conformance.vocabulary import Protocol
from emulator import Armed, Intent, Rail, RailIs, ResetType, When, make_fault
from profiles.model import View


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


def falls_over_ipmi(*bmcs: str) -> tuple[Inject, ...]:
    """Where Redfish is what is in trouble: a fencer that goes on over IPMI shall not wait for the profile's time as well."""
    return tuple(
        Inject(
            f"{bmc}: after a power command over IPMI the host moves when its power has been read twice",
            Armed(fault=make_fault("power.gate", gate=2), when=power_commands(Protocol.IPMI), must_fire=False),
            bmc,
        )
        for bmc in bmcs
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


def refused_when_on(
    status: int, message_id: str, text: str, *resets: ResetType, count: int | None = None, must_fire: bool = True
) -> Inject:
    which = " and ".join(resets) if resets else "every reset"
    which = which if count is None else f"{which}, {count} times,"
    return Inject(
        f"{which} of a host that is on is refused with HTTP {status} ({text})",
        Armed(
            fault=make_fault("redfish.reply", status=status, message_id=message_id, text=text),
            when=power_commands(Protocol.REDFISH, Rail.UP, *resets),
            count=count,
            must_fire=must_fire,
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


def members(
    words: str, what: str, *, bmc: str = TARGET, skip: int = 0, first: int = 1, path: str = "/redfish/v1/Systems"
) -> Circumstance:
    """A collection lists its members otherwise. A fencer that is given a URI may never read it."""
    return Circumstance(
        words,
        Armed(
            fault=make_fault("redfish.members", what=what, first=first),
            when=When(method="GET", path=path, skip=skip),
        ),
        bmc,
    )


# -- what the BMC says of power, and what happens meanwhile (STATE, TRUTH) -------------------------------------------------

SYSTEMS = "/redfish/v1/Systems/*"
CHASSIS = "/redfish/v1/Chassis/*"
EVERY_VIEW = tuple(View)


def at(bmc: str, inject: Inject) -> Inject:
    """The same on another BMC than the target."""
    return replace(inject, bmc=bmc)


def says(word: str | None, *views: View, count: int | None = None, until: float | RailIs | None = None) -> Inject:
    """What the named views say, whatever is true; without `views` the System. None is null, "absent" no property at all."""
    named = views or (View.SYSTEM,)
    which = "every view" if set(named) == set(View) else " and ".join(f"the {view.value}" for view in named)
    told = {None: "null for its power", "absent": "nothing of its power"}.get(word, word)
    often = "" if count is None else f" for {count} reads" if count > 1 else " at the first read"
    return Inject(
        f"{which} says {told}, whatever is true{often}",
        Armed(fault=make_fault("report.says", word=word, views=named), count=count, until=until),
    )


def no_effect() -> Inject:
    """Nothing happens, and a fencer may send no command at all."""
    accepted = nothing_happens()
    return replace(accepted, armed=replace(accepted.armed, must_fire=False))


def once_read(rail: Rail, words: str, fault: str, **params: object) -> Inject:
    """Something happens by itself, once, as soon as the power was read while the rail was so."""
    state = "off" if rail is Rail.DOWN else "on"
    return Inject(
        f"as soon as the power of the host has been read while it is {state}, {words}",
        Armed(fault=make_fault(fault, **params), when=When(rail=rail), count=1),
    )


def empty_when_off(status: int) -> Inject:
    return Inject(
        f"every reset of a host that is off is answered with HTTP {status} and no body",
        Armed(
            fault=make_fault("redfish.reply", status=status, raw=b""),
            when=power_commands(Protocol.REDFISH, Rail.DOWN),
            must_fire=False,
        ),
    )


def answered(words: str, when: When, **params: object) -> Inject:
    """Another answer than the BMC's own."""
    return Inject(words, Armed(fault=make_fault("redfish.reply", **params), when=when))


def witness(words: str, fault: str, *, path: str = CHASSIS, skip: int = 1, **params: object) -> Inject:
    """What becomes of reads of the Chassis, or of another `path`, after the first `skip`."""
    when = When(intent=Intent.POWER_READ, path=path, skip=skip)
    return Inject(words, Armed(fault=make_fault(fault, **params), when=when, must_fire=False))


# -- faults of HTTP and of the wire ------------------------------------------------------------------------------------------

EVERY_REQUEST = When(protocol=Protocol.REDFISH)
POWER_READS = When(protocol=Protocol.REDFISH, intent=Intent.POWER_READ)
POSTS = When(method="POST")
RESETS = power_commands(Protocol.REDFISH)
EVERY_POWER_COMMAND = When(intent=Intent.POWER_COMMAND)


def meets(words: str, fault: str, when: When, *, bmc: str = TARGET, count: int | None = None, **params: object) -> Inject:
    """A fault on these requests, which must fire."""
    return Inject(words, Armed(fault=make_fault(fault, **params), when=when, count=count), bmc)


def answers_instead(
    words: str, status: int, when: When, *, bmc: str = TARGET, count: int | None = None, **more: object
) -> Inject:
    """An HTTP status in place of the BMC's answer; `more` are parameters of `redfish.reply`."""
    return meets(words, "redfish.reply", when, bmc=bmc, count=count, status=status, **more)


# -- several BMCs, IPMI, input power -----------------------------------------------------------------------------------------


def all_at(bmc: str, *injected: Inject) -> tuple[Inject, ...]:
    """The same faults on another BMC than the target."""
    return tuple(at(bmc, each) for each in injected)


def busy_once() -> Inject:
    return Inject(
        "the first Chassis Control completes with 0xC0 (node busy) and is not executed",
        Armed(fault=make_fault("ipmi.completion", code=0xC0), when=power_commands(Protocol.IPMI), count=1),
    )


def every_third(fault: str, words: str, **params: object) -> Inject:
    """Not one in three by chance: whoever sends a lost datagram again gets through."""
    return Inject(words, Armed(fault=make_fault(fault, **params), when=When(every=3)))
