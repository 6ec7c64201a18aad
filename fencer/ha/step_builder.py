"""Collects the changes of the record and the effects of one call of `machine.step` or `cloudstack.step`.

Pure; times are seconds of the store's clock.

Rules
  1. Each call of `step` makes a new instance and drops it at its end.
  2. The state changes only in `transition`, by a row of the table. Alerts are sent only by `alert`, at most once per key
     and `alert_digest` period.
"""

from __future__ import annotations

from dataclasses import replace

from fencer.ha import proof
from fencer.ha.effects import AlertName, CallBmc, CheckActivity, Detail, HaEffect, LineKind, OperatorAnswer, TimelineLine
from fencer.ha.policy import Policy
from fencer.ha.record import OWN_BMC, BmcRequest, HostRecord, RequestKind, SentAlert
from fencer.ha.states import STRICT_NAMES, HAEvent, HAState, host_status, target


class StepBuilder:
    def __init__(self, record: HostRecord, policy: Policy, now: float) -> None:
        self.record, self.policy, self.now = record, policy, now
        self.effects: list[HaEffect] = []

    def result(self) -> tuple[HostRecord, tuple[HaEffect, ...]]:
        return self.record, tuple(self.effects)

    def transition(self, event: HAEvent, to: HAState | None = None) -> None:
        """Changes the state and adds a timeline line. Raises IllegalTransition if the table has no such row."""
        source = self.record.state
        state = target(source, event, to)
        if state is source:
            return
        self.record = replace(self.record, state=state, since=self.now)
        name = STRICT_NAMES.get(event, event) if self.policy.strict_event_names else event
        self.add_line(LineKind.STATE, **{"from": str(source)}, to=str(state), event=str(name), status=str(host_status(state)))

    def add_line(self, kind: LineKind, **detail: Detail) -> None:
        self.effects.append(TimelineLine(kind=kind, detail=detail))

    def alert(self, alert: AlertName, key: str, text: str, *, once: bool = False, **detail: Detail) -> None:
        """Sends an alert, unless one with this key was sent within `alert_digest` seconds (`once`: ever).

        Counts the alerts that it holds back; the next one with this key shows the number.
        """
        known = next((sent for sent in self.record.alerts if sent.key == key), None)
        others = tuple(sent for sent in self.record.alerts if sent.key != key and self._is_kept(sent))
        if known and once:
            return
        if known and self.now - known.last < self.policy.alert_digest:
            self.record = replace(self.record, alerts=(*others, replace(known, held_back=known.held_back + 1)))
            return
        self.record = replace(self.record, alerts=(*others, SentAlert(key=key, last=self.now)))
        if known and known.held_back:
            self.add_line(LineKind.ALERT, alert=str(alert), text=text, repeated=known.held_back, **detail)
        else:
            self.add_line(LineKind.ALERT, alert=str(alert), text=text, **detail)

    def _is_kept(self, sent: SentAlert) -> bool:
        mine = self.record.fence is not None and sent.key.startswith(f"{self.record.fence.id}/")
        return mine or self.now - sent.last < self.policy.alert_digest

    def answer(self, request: int, ok: bool, text: str) -> None:
        self.effects.append(OperatorAnswer(request=request, ok=ok, text=text))

    def call(self, ask: RequestKind) -> BmcRequest:
        """Adds one request to the devices of the record (`inflight`) and to the effects, and returns it."""
        number, devices = self.record.requests + 1, self.record.asked_devices
        own_too = ask is RequestKind.READ and OWN_BMC not in devices and proof.login_allowed(self.record, self.policy, self.now)
        request = BmcRequest(id=f"{self.record.epoch}.{number}", ask=ask, at=self.now, devices=devices, own_too=own_too)
        self.record = replace(self.record, requests=number, inflight=request)
        self.effects.append(CallBmc(request=request, epoch=self.record.epoch))
        return request

    def call_check(self) -> None:
        """Adds a device check to the record (`check`) and to the effects."""
        number = self.record.requests + 1
        request = BmcRequest(
            id=f"{self.record.epoch}.{number}", ask=RequestKind.CHECK, at=self.now, devices=self.every_device
        )  # fmt: skip
        self.record = replace(self.record, requests=number, check=request)
        self.effects.append(CallBmc(request=request, epoch=self.record.epoch))

    def check_activity(self) -> None:
        self.effects.append(CheckActivity(epoch=self.record.epoch))

    @property
    def fence_id(self) -> str | None:
        return self.record.fence.id if self.record.fence else None

    @property
    def command_in_flight(self) -> bool:
        return self.record.inflight is not None and self.record.inflight.cuts_power

    @property
    def may_call(self) -> bool:
        """True if no request is in flight and one may start. After a refused log-in, a device check counts as one too."""
        devices = self.record.asked_devices
        alone = self.record.check is None or all(self.record.memory(one).login_refused_at is None for one in devices)
        return self.record.inflight is None and alone and self.may_start(devices)

    @property
    def every_device(self) -> tuple[str, ...]:
        """The host's own BMC, then the other devices of all levels."""
        return tuple(dict.fromkeys((OWN_BMC, *(device for level in self.record.all_levels for device in level))))

    def may_start(self, devices: tuple[str, ...]) -> bool:
        """True if the lease is long enough for a request, and no device has refused a log-in lately (rule 4 of `proof`)."""
        return proof.may_start(self.record.lease_until, self.policy, self.now) and proof.login_allowed(
            self.record, self.policy, self.now, devices
        )
