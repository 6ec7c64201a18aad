"""What is required of every fencer, one sentence each, with the clause that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.vocabulary import Aspect, Level


@dataclass(frozen=True, slots=True)
class Requirement:
    """`sentence` is complete and quotable; `source` names the clause or the incident.

    `aspect` is what kind of failure breaks it. A finding of another kind in a scenario of this requirement quotes another one.
    """

    id: str
    sentence: str
    source: str
    aspect: Aspect
    level: Level = Level.MUST


API = "FenceAgentAPI"

SAFE_CLAIM = Requirement(
    "FENCE-1",
    "A fencer MUST NOT claim off while the host's rail is up.",
    f"{API} 'off': verify; a timeout is a failure",
    Aspect.SAFETY,
)
STATE_NOT_TRANSITION = Requirement(
    "FENCE-2",
    "A fencer MUST confirm off for a host that is already off, whatever the BMC answers to a reset.",
    f"{API} 'off' asks for a state; apache/cloudstack#13376",
    Aspect.LIVENESS,
)
CODES_ARE_NOT_STATE = Requirement(
    "FENCE-3",
    "A fencer MUST judge by the power state that it reads, never by the status of an answer alone.",
    f"{API} 'off': verify; badfish#129, sample-web-ui#2367: 400 and 409 have other reasons",
    Aspect.SAFETY,
)
ONLY_OFF_IS_OFF = Requirement(
    "FENCE-4",
    "A fencer MUST NOT take any state but exactly Off for off.",
    "DSP0268 PowerState; metal3-io/baremetal-operator#290",
    Aspect.SAFETY,
)
FORCE_WHEN_HUNG = Requirement(
    "FENCE-5",
    "A fencer MUST NOT rely on the operating system of the host that it fences; it SHOULD force the power off.",
    f"{API} 'off': without a clean shutdown; ironcore-dev/metal-operator#129",
    Aspect.LIVENESS,
)
LOST_ANSWER = Requirement(
    "FENCE-6",
    "A fencer MUST find out what became of a command whose answer was lost.",
    f"{API} 'off': verify; RFC 9110 9.2.2",
    Aspect.LIVENESS,
)
UNREACHABLE_IS_NOT_OFF = Requirement(
    "FENCE-7",
    "A fencer MUST NOT take silence or refusal of the BMC for off.",
    f"{API}: unreachable is exit 1; apache/cloudstack#13589",
    Aspect.SAFETY,
)
ENDS = Requirement(
    "FENCE-8",
    "A fencer MUST end by its deadline plus grace, whatever the BMC does, and leave no process behind.",
    f"{API}: the caller holds resources hostage",
    Aspect.CONDUCT,
)
EXACT_TARGET = Requirement(
    "FENCE-9",
    "A fencer MUST act on exactly the host that it was told, and refuse where that is not decided.",
    f"{API} 'port'; bmclib#400, ansible#47108",
    Aspect.SAFETY,
)
TRUE_STATUS = Requirement(
    "FENCE-10",
    "A fencer MUST answer on, off and unknown apart, and only read for it.",
    f"{API} 'status', 'monitor': exit 0, 2, 1",
    Aspect.TRUTH,
)
TRUE_CAUSE = Requirement(
    "FENCE-11", "A fencer that fails MUST name the cause.", "apache/cloudstack#13376: 'not configured' for a 409", Aspect.TRUTH
)
FEW_LOGINS = Requirement(
    "FENCE-12",
    "A fencer MUST NOT repeat refused credentials more than once.",
    "Redfish-Protocol-Validator#12, ibm-openbmc/openbmc#90: it locks the account",
    Aspect.CONDUCT,
)
VERIFIES = Requirement(
    "FENCE-13",
    "A fencer MUST read the power state after its last power command and before it claims.",
    f"{API} 'off': verify",
    Aspect.CONDUCT,
)
FEW_COMMANDS = Requirement(
    "FENCE-14",
    "A fencer MUST NOT hammer a BMC with power commands: at most three for one ask.",
    "apache/cloudstack#13376: 309 POSTs in 20 minutes",
    Aspect.CONDUCT,
)
SECRETS = Requirement(
    "FENCE-15",
    "A fencer MUST NOT show the password in a command line, in its output or in a file that it leaves.",
    f"{API} 'passwd'; fence-agents#436",
    Aspect.CONDUCT,
)
ONLY_POWER = Requirement(
    "FENCE-16",
    "A fencer MUST NOT touch another host, or anything but what was asked for.",
    f"{API} 'off', 'status'",
    Aspect.CONDUCT,
)
TRUE_ON = Requirement(
    "FENCE-17", "A fencer MUST NOT claim on or rebooted where that did not happen.", f"{API} 'on', 'reboot'", Aspect.TRUTH
)
WELL_BEHAVED = Requirement(
    "FENCE-18",
    "A fencer MUST NOT attack the processes that watch it, nor take more of the machine than fencing needs.",
    f"{API}: it runs beside the cluster that it protects",
    Aspect.CONDUCT,
)
DOES_IT = Requirement(
    "FENCE-19",
    "A fencer MUST do what it is asked for, and say so by its deadline, where the BMC lets it.",
    f"{API} 'off', 'on', 'reboot': exit 0 when it is done; apache/cloudstack#13376: a fence that fails blocks recovery",
    Aspect.LIVENESS,
)
VERIFIED_PEER = Requirement(
    "FENCE-20",
    "A fencer MUST NOT send credentials to a peer whose certificate it was to verify and could not, in clear text, or to any "
    "other host than the BMC that it was told.",
    "RFC 9325 3.1; RFC 9110 15.4; ClusterLabs/fence-agents#254",
    Aspect.CONDUCT,
)
CLOSES_SESSIONS = Requirement(
    "FENCE-21",
    "A fencer SHOULD close every session that it opens.",
    "DMTF/Redfishtool#67, canonical/maas: a full session table refuses the next fence",
    Aspect.CONDUCT,
    Level.SHOULD,
)
LITTLE_TRAFFIC = Requirement(
    "FENCE-22",
    "A fencer SHOULD send at most ten requests and two a second, at most three power commands that the BMC took or refused for "
    "good, and the next one not within two seconds where the BMC was busy.",
    "RFC 9110 10.2.3 Retry-After; apache/cloudstack#13376: 309 POSTs in 20 minutes",
    Aspect.CONDUCT,
    Level.SHOULD,
)
FOR_PEOPLE = Requirement(
    "FENCE-23",
    "A fencer that fails SHOULD say so in a sentence for people: no traceback, no silence, no word of success.",
    f"{API}: messages go to the log of the cluster; ClusterLabs/fence-agents#436",
    Aspect.TRUTH,
    Level.SHOULD,
)
TRUE_EXIT = Requirement(
    "FENCE-24",
    "A fencer MUST NOT end with exit code 0 where it says that it has failed.",
    f"{API}: exit 0 is success; measured: ipmipower exits 0 after a failure",
    Aspect.TRUTH,
)
MONITOR_IS_NO_STATUS = Requirement(
    "FENCE-25",
    "A fencer's monitor SHOULD succeed whenever the device can be used, whatever the power of the host is.",
    f"{API} 'monitor'; measured: Pacemaker 2.1.5 stops a device whose monitor exits 2",
    Aspect.TRUTH,
    Level.SHOULD,
)
TRANSIENT = Requirement(
    "FENCE-26",
    "A fencer SHOULD try again what failed once for a reason that passes, after the wait that the BMC asks for.",
    "RFC 9110 10.2.3 Retry-After; ironcore-dev/metal-operator#170; openstack/ironic: redfish-power-on-conflict-retry",
    Aspect.LIVENESS,
    Level.SHOULD,
)
HTTP_AS_SPECIFIED = Requirement(
    "FENCE-27",
    "A fencer MUST send the headers that Redfish asks for, and keep method and body where it follows a redirect.",
    "DSP0266 7.2, 7.6; RFC 9110 15.4; fence-agents#265, gofish#171",
    Aspect.LIVENESS,
)

CONFIRMED = Requirement(
    "FENCE-28",
    "A fencer SHOULD be told Off at least twice, a second apart and with no other word in between, before it claims off.",
    "measured: one false Off deceives fence_redfish, sushy and redfish_command; openbmc/openbmc#2454: hosts come back",
    Aspect.SAFETY,
    Level.SHOULD,
)
DATAGRAMS = Requirement(
    "FENCE-29",
    "A fencer that speaks IPMI MUST cope with datagrams that are lost, come twice or come in another order.",
    "IPMI 2.0 section 13: RMCP runs over UDP",
    Aspect.LIVENESS,
)
AGENT_INPUT = Requirement(
    "FENCE-30",
    "A fence agent MUST read its parameters as the API says: comments and unknown names are ignored, the last value counts.",
    f"{API}, input",
    Aspect.TRUTH,
)
AGENT_ERRORS = Requirement(
    "FENCE-31",
    "A fence agent MUST refuse bad input with exit 1 before it talks to any BMC.",
    f"{API}: exit 1; 2 is a state",
    Aspect.TRUTH,
)
AGENT_METADATA = Requirement(
    "FENCE-32", "A fence agent MUST describe itself and its parameters in well-formed metadata.", f"{API}, metadata", Aspect.TRUTH
)
AGENT_REBOOT = Requirement(
    "FENCE-33",
    "A fence agent's reboot MUST succeed if its off part did, and MUST fail if that did not.",
    f"{API} 'reboot': the cluster recovers from a failed on part",
    Aspect.LIVENESS,
)
EVERY_PASSWORD = Requirement(
    "FENCE-34",
    "A fencer MUST use a password exactly as it was given, whatever characters it has.",
    f"{API} 'passwd'; python-hpilo#51",
    Aspect.LIVENESS,
)
SHARED_TARGET = Requirement(
    "FENCE-35",
    "A fencer MUST bear others that fence the same host at the same time: its claim is true and it ends in time.",
    "during an outage every survivor fences; Redfish-Protocol-Validator#13",
    Aspect.LIVENESS,
)
ONE_COPY = Requirement(
    "FENCE-36",
    "A manager MUST NOT start a workload while another copy of it may be running.",
    "apache/cloudstack#2890, #12922: a VM on two hosts writes to one disk",
    Aspect.SAFETY,
)
RESTARTS = Requirement(
    "FENCE-37",
    "A manager MUST start the workloads of a host that it has called down on other hosts.",
    "apache/cloudstack#12922, #11627: Down, and nothing was restarted",
    Aspect.LIVENESS,
)
NOT_BLIND = Requirement(
    "FENCE-38",
    "A manager MUST NOT cut the power of hosts because it has lost sight of most of them.",
    "oVirt skips fencing where too many hosts lost contact; medik8s minHealthy",
    Aspect.SAFETY,
)
TRUE_ALERTS = Requirement(
    "FENCE-39",
    "A manager's alerts MUST say what has happened: success once, and only after it.",
    "apache/cloudstack#13376: 309 times 'performed', and nothing was",
    Aspect.TRUTH,
)

ALL_OUTLETS = Requirement(
    "FENCE-40",
    "A fencer that is told the outlets of a host MUST NOT claim off while one of them is on.",
    f"{API} 'plug'; Pacemaker Explained, fencing topology: a host with two power supplies is off when both are",
    Aspect.SAFETY,
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
    DOES_IT,
    VERIFIED_PEER,
    CLOSES_SESSIONS,
    LITTLE_TRAFFIC,
    FOR_PEOPLE,
    TRUE_EXIT,
    MONITOR_IS_NO_STATUS,
    TRANSIENT,
    HTTP_AS_SPECIFIED,
    CONFIRMED,
    DATAGRAMS,
    AGENT_INPUT,
    AGENT_ERRORS,
    AGENT_METADATA,
    AGENT_REBOOT,
    EVERY_PASSWORD,
    SHARED_TARGET,
    ONE_COPY,
    RESTARTS,
    NOT_BLIND,
    TRUE_ALERTS,
    ALL_OUTLETS,
)
BY_ID: Mapping[str, Requirement] = {requirement.id: requirement for requirement in ALL}


@dataclass(frozen=True, slots=True)
class Invariant:
    """Something that is checked in every scenario; `requirements` are those that its findings quote."""

    id: str
    sentence: str
    level: Level
    requirements: tuple[Requirement, ...]


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "G1",
        "A claim is true of the target at the moment in which the answer is final, and rests on what the target itself said.",
        Level.MUST,
        (SAFE_CLAIM, CODES_ARE_NOT_STATE, ONLY_OFF_IS_OFF, UNREACHABLE_IS_NOT_OFF, EXACT_TARGET, TRUE_ON),
    ),
    Invariant("G2", "A fencer ends by its deadline plus grace, and nothing of it runs on.", Level.MUST, (ENDS, WELL_BEHAVED)),
    Invariant(
        "G3",
        "The password is in no command line, in no output and in no file that stays (not judged below six characters).",
        Level.MUST,
        (SECRETS,),
    ),
    Invariant("G4", "Traffic is bounded.", Level.SHOULD, (LITTLE_TRAFFIC,)),
    Invariant("G5", "Every session that was opened is closed.", Level.SHOULD, (CLOSES_SESSIONS,)),
    Invariant("G6", "Only the power of the target is touched, and only as was asked.", Level.MUST, (ONLY_POWER, EXACT_TARGET)),
    Invariant("G7", "A failure is a sentence for people, and words of success mean success.", Level.SHOULD, (FOR_PEOPLE,)),
    Invariant(
        "G8",
        "Credentials go to the BMC that was told and to no other peer, and after its certificate was verified, unless the fencer "
        "was told not to verify it.",
        Level.MUST,
        (VERIFIED_PEER,),
    ),
    Invariant(
        "G9",
        "The exit code says what the text says (where G1 is broken as well, only G1 is reported).",
        Level.MUST,
        (TRUE_EXIT, MONITOR_IS_NO_STATUS),
    ),
)
