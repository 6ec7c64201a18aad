"""Rules for configurations that were written for fence_redfish, fence_ipmilan and the names of fence_ipmilan.

`fencer.settings` calls these functions before any network I/O. They are pure.

Rules
  1. The name by which the agent is called decides the protocol (`PROGRAMS`); a parameter that contradicts it is refused.
  2. What fence_bmc cannot do as asked is refused with one sentence that says what to write instead.
  3. IPMI 1.5 is not spoken. RMCP+ is used instead, and a note says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from fencer.given import AGENT, BadSettings, GivenValues
from fencer.target import Protocol

PROGRAMS: Mapping[str, Protocol] = {
    "fence_redfish": Protocol.REDFISH,
    "fence_ipmilan": Protocol.IPMI,
    "fence_ipmilanplus": Protocol.IPMI,
    "fence_idrac": Protocol.IPMI,
    "fence_ilo3": Protocol.IPMI,
    "fence_ilo4": Protocol.IPMI,
    "fence_ilo5": Protocol.IPMI,
    "fence_imm": Protocol.IPMI,
}
"""The links that fence_bmc may be called by, and the protocol that each means."""

LANPLUS_BY_DEFAULT = frozenset({"fence_ipmilanplus", "fence_ilo3", "fence_ilo4", "fence_ilo5"})
IPMI_ONLY = ("lanplus", "cipher", "hexadecimal_kg", "privlvl", "auth", "target")
BMC_ADDRESS = 0x20  # of the BMC itself (IPMI 2.0, 5.1)
ACTION_NAMES: Mapping[str, str] = {"meta-data": "metadata"}
FABRIC_ACTIONS: Mapping[str, str] = {"enable": "on", "disable": "off"}


def program_name(argv0: str) -> str:
    """Returns the known name in `argv0` (a path), or `fence_bmc`."""
    name = argv0.rpartition("/")[2].removesuffix(".py")
    return name if name in PROGRAMS else AGENT


def action_name(word: str) -> str:
    """Returns the name of an action in FenceAgentAPI. Raises BadSettings for the actions of fabric agents."""
    if word in FABRIC_ACTIONS:
        raise BadSettings(f"action {word} is of agents that cut a network or a disk; write {FABRIC_ACTIONS[word]}")
    return ACTION_NAMES.get(word, word)


def protocols(given: GivenValues) -> tuple[Protocol, ...]:
    """Returns the protocols to use, the first one first. Raises BadSettings if two parameters contradict each other."""
    word = given.get("protocol") or None
    wanted = tuple(Protocol(name) for name in word.split(",")) if word else None
    by_name = PROGRAMS.get(given.program)
    if by_name is not None:
        if wanted is not None and wanted != (by_name,):
            raise BadSettings(f"called as {given.program}, which means protocol={by_name}; with protocol={word} call {AGENT}")
        wanted = (by_name,)
    if given.flag("lanplus"):
        if wanted is not None and Protocol.IPMI not in wanted:
            why = f"called as {given.program}" if by_name else f"protocol={word}"
            raise BadSettings(f"{given.spelled('lanplus')} means protocol=ipmi and contradicts {why}; leave one of them out")
        wanted = wanted or (Protocol.IPMI,)
    found = wanted or (Protocol.REDFISH,)
    if Protocol.IPMI not in found:
        _refuse_ipmi_parameters(given, by_name)
    return found


def _refuse_ipmi_parameters(given: GivenValues, by_name: Protocol | None) -> None:
    for name in IPMI_ONLY:
        if given.get(name) and name != "lanplus":
            instead = "leave it out" if by_name else "write protocol=ipmi too, or leave it out"
            used = given.get("protocol") or Protocol.REDFISH
            raise BadSettings(f"{given.spelled(name)} belongs to IPMI, and the protocol is {used}; {instead}")


def check(given: GivenValues) -> None:
    """Raises BadSettings for what other agents accept and fence_bmc cannot do as asked."""
    target = given.get("target", "")
    if target and _number(target) != BMC_ADDRESS:
        raise BadSettings(
            f"{given.spelled('target')}={target[:20]} asks for another controller behind the BMC (bridging), which cannot be"
            " fenced safely; give that machine's own BMC as ip"
        )
    if given.get("cipher") and given["cipher"] not in ("3", "17"):
        raise BadSettings(
            f"{given.spelled('cipher')}={given['cipher'][:20]} is a suite without authentication, integrity or encryption, or an"
            " unknown one; write 3 or 17, or leave it out"
        )
    if given.get("privlvl") == "callback":
        raise BadSettings(f"{given.spelled('privlvl')}=callback may not read the power state; write operator, or user for status")
    if given.get("ssl") and not given.flag("ssl"):
        raise BadSettings(f"{given.spelled('ssl')}=0 asks for Redfish without TLS, which is never spoken; leave it out")
    for name in ("power_timeout", "deadline"):
        if given.get(name) and given.seconds(name, "1") == 0:
            raise BadSettings(
                f"{given.spelled(name)}=0 means no end in other agents, and every action has one here; write seconds, like 50"
            )
    separator = given.get("plug_separator") or ","
    if given.get("plug") and separator in given["plug"] and given.get("protocol") != Protocol.PDU:
        raise BadSettings(f"{given.spelled('plug')} has several plugs; a device has one host: write one device for each")


def notes(given: GivenValues, used: tuple[Protocol, ...]) -> tuple[str, ...]:
    """Returns one sentence for each parameter that is carried out in another way than other agents do."""
    if Protocol.IPMI not in used:
        return ()
    why = None
    if given.get("auth"):
        why = f"{given.spelled('auth')}={given['auth']}"
    elif given.get("lanplus") and not given.flag("lanplus"):
        why = f"{given.spelled('lanplus')}=0"
    elif given.program in PROGRAMS and given.program not in LANPLUS_BY_DEFAULT and not given.get("lanplus"):
        why = f"{given.program} without lanplus=1"
    return (f"{why} means IPMI 1.5, which has no encryption and is not spoken; RMCP+ (lanplus) is used",) if why else ()


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None
