"""What is required of every fencer, one sentence each, with the clause that it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.vocabulary import Level


@dataclass(frozen=True, slots=True)
class Requirement:
    """`sentence` is complete and quotable; `source` names the clause or the incident."""

    id: str
    sentence: str
    source: str
    level: Level = Level.MUST


API = "FenceAgentAPI"

SAFE_CLAIM = Requirement(
    "FENCE-1", "A fencer MUST NOT claim off while the host's rail is up.", f"{API} 'off': verify; a timeout is a failure"
)
STATE_NOT_TRANSITION = Requirement(
    "FENCE-2",
    "A fencer MUST confirm off for a host that is already off, whatever the BMC answers to a reset.",
    f"{API} 'off' asks for a state; apache/cloudstack#13376",
)
CODES_ARE_NOT_STATE = Requirement(
    "FENCE-3",
    "A fencer MUST judge by the power state that it reads, never by the status of an answer alone.",
    f"{API} 'off': verify; badfish#129, sample-web-ui#2367: 400 and 409 have other reasons",
)
ONLY_OFF_IS_OFF = Requirement(
    "FENCE-4", "A fencer MUST NOT take any state but exactly Off for off.", "DSP0268 PowerState; metal3-io/baremetal-operator#290"
)
FORCE_WHEN_HUNG = Requirement(
    "FENCE-5",
    "A fencer MUST NOT rely on the operating system of the host that it fences; it SHOULD force the power off.",
    f"{API} 'off': without a clean shutdown; ironcore-dev/metal-operator#129",
)
LOST_ANSWER = Requirement(
    "FENCE-6", "A fencer MUST find out what became of a command whose answer was lost.", f"{API} 'off': verify; RFC 9110 9.2.2"
)
UNREACHABLE_IS_NOT_OFF = Requirement(
    "FENCE-7",
    "A fencer MUST NOT take silence or refusal of the BMC for off.",
    f"{API}: unreachable is exit 1; apache/cloudstack#13589",
)
ENDS = Requirement(
    "FENCE-8",
    "A fencer MUST end by its deadline plus grace, whatever the BMC does, and leave no process behind.",
    f"{API}: the caller holds resources hostage",
)
EXACT_TARGET = Requirement(
    "FENCE-9",
    "A fencer MUST act on exactly the host that it was told, and refuse where that is not decided.",
    f"{API} 'port'; bmclib#400, ansible#47108",
)
TRUE_STATUS = Requirement(
    "FENCE-10",
    "A fencer MUST answer on, off and unknown apart, and only read for it.",
    f"{API} 'status', 'monitor': exit 0, 2, 1",
)
TRUE_CAUSE = Requirement(
    "FENCE-11", "A fencer that fails MUST name the cause.", "apache/cloudstack#13376: 'not configured' for a 409"
)
FEW_LOGINS = Requirement(
    "FENCE-12",
    "A fencer MUST NOT repeat refused credentials.",
    "Redfish-Protocol-Validator#12, ibm-openbmc/openbmc#90: it locks the account",
)
VERIFIES = Requirement(
    "FENCE-13", "A fencer MUST read the power state after its last power command and before it claims.", f"{API} 'off': verify"
)
FEW_COMMANDS = Requirement(
    "FENCE-14", "A fencer MUST NOT hammer a BMC with power commands.", "apache/cloudstack#13376: 618 POSTs in 20 minutes"
)
SECRETS = Requirement(
    "FENCE-15",
    "A fencer MUST NOT show the password in a command line, in its output or in a file that it leaves.",
    f"{API} 'passwd'; fence-agents#436",
)
ONLY_POWER = Requirement(
    "FENCE-16", "A fencer MUST NOT touch another host, or anything but what was asked for.", f"{API} 'off', 'status'"
)
TRUE_ON = Requirement("FENCE-17", "A fencer MUST NOT claim on or rebooted where that did not happen.", f"{API} 'on', 'reboot'")
WELL_BEHAVED = Requirement(
    "FENCE-18",
    "A fencer MUST NOT attack the processes that watch it, nor take more of the machine than fencing needs.",
    f"{API}: it runs beside the cluster that it protects",
)
DATAGRAMS = Requirement(
    "FENCE-40",
    "A fencer that speaks IPMI MUST cope with datagrams that are lost, come twice or come in another order.",
    "IPMI 2.0 section 13: RMCP runs over UDP",
)
AGENT_INPUT = Requirement(
    "FENCE-41",
    "A fence agent MUST read its parameters as the API says: comments and unknown names are ignored, the last value counts.",
    f"{API}, input",
)
AGENT_ERRORS = Requirement(
    "FENCE-42", "A fence agent MUST refuse bad input with exit 1 before it talks to any BMC.", f"{API}: exit 1; 2 is a state"
)
AGENT_METADATA = Requirement(
    "FENCE-43", "A fence agent MUST describe itself and its parameters in well-formed metadata.", f"{API}, metadata"
)
AGENT_REBOOT = Requirement(
    "FENCE-44",
    "A fence agent's reboot MUST succeed if its off part did, and MUST fail if that did not.",
    f"{API} 'reboot': the cluster recovers from a failed on part",
)
EVERY_PASSWORD = Requirement(
    "FENCE-45",
    "A fencer MUST use a password exactly as it was given, whatever characters it has.",
    f"{API} 'passwd'; python-hpilo#51",
)
SHARED_TARGET = Requirement(
    "FENCE-46",
    "A fencer MUST bear others that fence the same host at the same time: its claim is true and it ends in time.",
    "during an outage every survivor fences; Redfish-Protocol-Validator#13",
)

ALL: tuple[Requirement, ...] = (
    SAFE_CLAIM,
    STATE_NOT_TRANSITION,
    CODES_ARE_NOT_STATE,
    ONLY_OFF_IS_OFF,
    FORCE_WHEN_HUNG,
    LOST_ANSWER,
    UNREACHABLE_IS_NOT_OFF,
    ENDS,
    EXACT_TARGET,
    TRUE_STATUS,
    TRUE_CAUSE,
    FEW_LOGINS,
    VERIFIES,
    FEW_COMMANDS,
    SECRETS,
    ONLY_POWER,
    TRUE_ON,
    WELL_BEHAVED,
    DATAGRAMS,
    AGENT_INPUT,
    AGENT_ERRORS,
    AGENT_METADATA,
    AGENT_REBOOT,
    EVERY_PASSWORD,
    SHARED_TARGET,
)
