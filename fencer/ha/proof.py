"""Applies `fencer.proof` to the record of a host, and decides when a request to its BMC may start.

The HA rules and `Manager` call these functions. Pure; times are seconds of the store's clock. An error in this file can
make a fence unsafe.

Rules
  1. `fencer.proof` decides what an Off read and a proof are. Here a series also has one epoch, begins after the fence began,
     and has at most `stable_for` + `lease` between two of its reads.
  2. If an identity is required, a read since the host fell silent showed it. A machine that another host's BMC shows too
     proves nothing.
  3. Fresh activity contradicts an Off. A sample that has not ended delays the commit, and no longer than `stable_for` + `poll`.
  4. A request may start only if it ends before the lease does, and not within `auth_poll` after a refused log-in.
  5. Devices of a level prove together: each read of a series is of all of them, and of the level at which the fence is now.
  6. VMs may start only while Off is fresh: the last read said Off, a moment ago, or an operator signed and no read said On.

Theory
  A manager that has lost its lease may have a request in flight; rule 4 makes that request end first. Two reads far apart say
  nothing about the time between them, so a manager that was stopped for a minute starts a new series.
"""

from __future__ import annotations

from dataclasses import replace

from fencer import identity, proof, witnesses
from fencer.ha.observations import PowerRead
from fencer.ha.policy import Policy
from fencer.ha.record import OWN_BMC, HostRecord, OffRead, OffRun
from fencer.ha.states import HAState
from fencer.outcome import Cause, Failure, Reading

MAY_LOCK_ACCOUNT = frozenset({Cause.AUTH, Cause.PRIVILEGE, Cause.LOCKED})
"""Each try may count towards an account lockout, so the next one waits `auth_poll` seconds."""


def judged(record: HostRecord, reading: Reading, device: str = OWN_BMC) -> Reading | Failure:
    """Returns the reading of one device as the earlier ones allow it, or the failure if another machine answers."""
    memory = record.memory(device)
    if device == OWN_BMC and not record.chassis_check:
        reading = replace(reading, witnesses=())
    got = proof.judge(reading, memory.pinned, memory.witnesses)
    if isinstance(got, proof.OtherMachine):
        name = "the BMC" if device == OWN_BMC else device
        text = (
            f"{name} of {record.host} shows {got.name} {got.now}, and showed {got.before} before: nothing is sent to it; "
            f"if the machine was replaced, use fence-ha pin"
        )
        return Failure(cause=Cause.PRECONDITION, text=text)
    if (
        device == OWN_BMC
        and record.identity
        and got.identity
        and identity.canonical(got.identity) != identity.canonical(record.identity)
    ):
        text = f"the BMC of {record.host} shows machine {got.identity}, configured is {record.identity}; nothing was sent to it"
        return Failure(cause=Cause.PRECONDITION, text=text)
    return got


def remember(record: HostRecord, reading: Reading, device: str = OWN_BMC) -> HostRecord:
    """Notes what a judged reading of a device showed: identities, chassis, and whether requests of it were lost.

    A chassis that has a PowerState for the first time ends the series of Off reads: this reading can begin the next one.
    """
    memory = record.memory(device)
    shown = replace(
        memory,
        pinned=identity.pin(memory.pinned, reading.shown),
        witnesses=witnesses.remember(memory.witnesses, reading.witnesses),
        identity_shown=memory.identity_shown or not reading.identity_missing,
    )
    record = replace(
        record,
        off_run=None if witnesses.has_newcomer(reading, memory.witnesses) else record.off_run,
        shaken=record.shaken or reading.repeated > 0,
    )
    return record if shown == memory else record.remembering(shown)


def extend_off_run(record: HostRecord, power_read: PowerRead, reading: Reading | None, policy: Policy) -> OffRun | None:
    """Returns the series of Off reads after `power_read`, whose judged reading is `reading` (None: it failed)."""
    run = record.off_run
    if reading is None:
        return None if power_read.contradicts or power_read.reading is not None else run
    if not proof.says_off(reading):
        return None
    if record.fence is not None and not proof.counts(power_read.started, record.fence.started_at):
        return run
    read = OffRead(
        at=power_read.started, request=power_read.request, word=reading.word or "", path=reading.path, source=reading.source,
        chassis=reading.chassis_word, identity=reading.identity,
    )  # fmt: skip
    if run is None or not _continues(record, run, read, policy):
        return OffRun(first=read, last=read, count=1, epoch=record.epoch, devices=record.asked_devices)
    return replace(run, last=read, count=run.count + 1)


def _continues(record: HostRecord, run: OffRun, read: OffRead, policy: Policy) -> bool:
    # `stable_for` is added so that the read that completes a proof is never too late.
    near = read.at - run.last.at <= policy.stable_for + policy.lease
    of_this_fence = record.fence is None or proof.counts(run.first.at, record.fence.started_at)
    same = run.epoch == record.epoch and run.devices == record.asked_devices and run.first.identity == read.identity
    return near and of_this_fence and same


def is_stable(record: HostRecord, policy: Policy) -> bool:
    """True if two Off reads of this epoch are `stable_for` or more apart: enough to begin a fence, not to commit one."""
    run = record.off_run
    if run is None or run.epoch != record.epoch or record.same_machine:
        return False
    return proof.is_complete(run.count, run.first.at, run.last.at, policy.stable_for, shaken=False)


def is_proved(record: HostRecord, policy: Policy) -> bool:
    """True if the fence of this record may be committed, apart from a sample that is awaited (`awaits_sample`)."""
    run, fence = record.off_run, record.fence
    return (
        run is not None
        and fence is not None
        and run.epoch == record.epoch
        and run.devices == record.asked_devices
        and proof.counts(run.first.at, fence.started_at)
        and proof.is_complete(run.count, run.first.at, run.last.at, policy.stable_for, record.shaken)
        and obstacle(record) is None
    )


def obstacle(record: HostRecord) -> Failure | None:
    """Returns why Off reads of the devices that are asked now prove nothing about this host (rule 2), or None."""
    devices = record.asked_devices
    if record.same_machine and OWN_BMC in devices:
        text = f"the BMC of {record.host} shows the same machine as the BMC of {', '.join(record.same_machine)}"
        return Failure(cause=Cause.PRECONDITION, text=f"{text}, so nobody knows whose power it is")
    hidden = next((device for device in devices if not record.memory(device).identity_shown), None)
    if hidden is not None:
        name = "the BMC" if hidden == OWN_BMC else hidden
        text = (
            f"{name} of {record.host} says Off and does not show the configured identity, so nothing says that this is the "
            "machine; identity_check: when-shown accepts a BMC that shows none"
        )
        return Failure(cause=Cause.PRECONDITION, text=text)
    return None


def awaits_sample(record: HostRecord, policy: Policy, now: float) -> bool:
    """Rule 3: True if the commit of a proved fence waits for an activity sample."""
    run = record.off_run
    if record.sampling_since is None or run is None:
        return False
    complete = run.first.at + proof.span_needed(policy.stable_for, record.shaken)
    return now < complete + policy.stable_for + policy.poll


def next_off_read(record: HostRecord, run: OffRun, policy: Policy) -> float:
    """The read that can complete a proof is made as soon as its time has passed, without waiting for the poll."""
    needed, span = proof.reads_needed(record.shaken), proof.span_needed(policy.stable_for, record.shaken)
    complete = run.first.at + span
    if needed - run.count > 1:
        return run.last.at + span / (needed - 1)
    return complete if complete > run.last.at else run.last.at + policy.status_poll


def may_start(lease_until: float, policy: Policy, now: float) -> bool:
    """Rule 4: True if a request that starts now ends before the lease."""
    return lease_until - now >= policy.request_timeout + policy.clock_margin


def login_allowed(record: HostRecord, policy: Policy, now: float, devices: tuple[str, ...] = (OWN_BMC,)) -> bool:
    """Rule 4: False for `auth_poll` seconds after one of `devices` refused a log-in, so that no account is locked."""
    refused = [at for device in devices if (at := record.memory(device).login_refused_at) is not None]
    return not refused or now >= max(refused) + policy.auth_poll


def may_start_vms(record: HostRecord, policy: Policy, now: float) -> bool:
    """Rule 6: whether the VMs of a fenced host may start elsewhere now. Ask it immediately before each start."""
    if record.state is not HAState.FENCED or record.released is None or record.on_again_at is not None:
        return False
    if record.signed:
        return True
    return record.last_off_at is not None and now - record.last_off_at <= policy.status_poll + policy.request_timeout
