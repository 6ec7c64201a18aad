"""Where its credentials go."""

from __future__ import annotations

from dataclasses import dataclass

from conformance import requirement as req
from conformance.expectations.case import AskCase
from conformance.expectations.expectation import Expectation
from conformance.finding import Finding
from conformance.timeline import means, text
from conformance.vocabulary import FindingKind, Verdict
from emulator import Event, EventKind, Intent


@dataclass(frozen=True, slots=True)
class SendsNoCredentialsTo(Expectation):
    """G8: a listener that it was not told to use gets no credentials: no Basic, no session token, no log-in."""

    bmc: str

    def phrase(self) -> str:
        return f"sends no credentials to {self.bmc}"

    def check(self, case: AskCase) -> Finding | None:
        sent = [e for e in case.window.requests if e.bmc == self.bmc and _carries_credentials(e)]
        if not sent:
            return None
        what = text(sent[0], "auth") if text(sent[0], "auth") != "none" else "a log-in"
        return case.finding(
            Verdict.HYGIENE,
            "H",
            f"no credentials at {self.bmc}, to which it was redirected",
            f"sent {what} with {text(sent[0], 'method')} {text(sent[0], 'path')} to {self.bmc}",
            kind=FindingKind.SECRET,
            requirement=req.SECRETS,
            anchors=tuple(e.seq for e in sent[:3]),
        )


def _carries_credentials(request: Event) -> bool:
    assert request.kind is EventKind.REQUEST
    return text(request, "auth") not in ("", "none") or means(request, Intent.LOGIN)
