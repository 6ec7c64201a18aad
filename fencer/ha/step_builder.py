"""One step being made: a record that changes and the effects that come with it.

Rules
  1. Lives for one call of a `step`; nothing of it is kept.
  2. A state changes only in `go`, by a row of the table. An alert is told only in `alert`, once per key and digest period.
"""

from __future__ import annotations

from dataclasses import replace

from fencer.ha import proof
from fencer.ha.effects import AlertName, CallBmc, CheckActivity, Detail, HaEffect, LineKind, OperatorAnswer, TimelineLine
from fencer.ha.policy import Policy
from fencer.ha.record import BmcRequest, HostRecord, RequestKind, Sent
from fencer.ha.states import STRICT_NAMES, HAEvent, HAState, host_status, target


class StepBuilder:
    def __init__(self, record: HostRecord, policy: Policy, now: float) -> None:
        self.rec, self.policy, self.now = record, policy, now
        self.effects: list[HaEffect] = []

    def result(self) -> tuple[HostRecord, tuple[HaEffect, ...]]:
        return self.rec, tuple(self.effects)

    def go(self, event: HAEvent, to: HAState | None = None) -> None:
        """Raises IllegalTransition where the table has no such row."""
        source = self.rec.state
        state = target(source, event, to)
        if state is source:
            return
        self.rec = replace(self.rec, state=state, since=self.now)
        name = STRICT_NAMES.get(event, event) if self.policy.strict_event_names else event
        self.tell(LineKind.STATE, **{"from": str(source)}, to=str(state), event=str(name), status=str(host_status(state)))

    def tell(self, kind: LineKind, **detail: Detail) -> None:
        self.effects.append(TimelineLine(kind=kind, detail=detail))

    def alert(self, alert: AlertName, key: str, text: str, *, once: bool = False, **detail: Detail) -> None:
        """Tells `text` unless the same key was told less than a digest period ago (`once`: ever); counts what it held back."""
        known = next((sent for sent in self.rec.alerts if sent.key == key), None)
        others = tuple(sent for sent in self.rec.alerts if sent.key != key and self._matters(sent))
        if known and once:
            return
        if known and self.now - known.last < self.policy.alert_digest:
            self.rec = replace(self.rec, alerts=(*others, replace(known, held_back=known.held_back + 1)))
            return
        self.rec = replace(self.rec, alerts=(*others, Sent(key=key, last=self.now)))
        if known and known.held_back:
            self.tell(LineKind.ALERT, alert=str(alert), text=text, repeated=known.held_back, **detail)
        else:
            self.tell(LineKind.ALERT, alert=str(alert), text=text, **detail)

    def _matters(self, sent: Sent) -> bool:
        mine = self.rec.fence is not None and sent.key.startswith(f"{self.rec.fence.id}/")
        return mine or self.now - sent.last < self.policy.alert_digest

    def answer(self, request: int, ok: bool, text: str) -> None:
        self.effects.append(OperatorAnswer(request=request, ok=ok, text=text))

    def call(self, ask: RequestKind) -> BmcRequest:
        """Decides one BMC request. The caller records it where it matters before the step ends."""
        number = self.rec.requests + 1
        request = BmcRequest(id=f"{self.rec.epoch}.{number}", ask=ask, at=self.now)
        self.rec = replace(self.rec, requests=number, inflight=request)
        self.effects.append(CallBmc(request=request, epoch=self.rec.epoch))
        return request

    def check_activity(self) -> None:
        self.effects.append(CheckActivity(epoch=self.rec.epoch))

    @property
    def command_in_flight(self) -> bool:
        return self.rec.inflight is not None and self.rec.inflight.ask is not RequestKind.READ

    @property
    def may_call(self) -> bool:
        """One BMC operation at a time, and only under a lease that outlives it."""
        return self.rec.inflight is None and proof.may_start(self.rec.lease_until, self.policy, self.now)
