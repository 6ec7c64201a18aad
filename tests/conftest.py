"""Fixtures that several test folders use. A profile written by hand keeps the core's tests independent of any YAML."""

from __future__ import annotations

import gc
import os
import random
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from emulator.core.bmc.view import BmcView
from emulator.core.clock import VirtualClock
from emulator.core.journal import Event, EventKind, Journal
from emulator.core.rack import HostSpec, Rack, UnitSpec
from emulator.core.truth.host import Host
from emulator.core.truth.virtual_hosts import VirtualHosts
from profiles import model as m

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts its background jobs so. Programs that the tests start would inherit it, and never hear a Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What the modules hold lives to the end: the collector need not look at it again, nor after every 700 new objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _cell(outcome: str, *, assumed: bool = False) -> m.PowerCell:
    return m.PowerCell(outcome, m.FactEvidence(m.Confidence.INFERRED), assumed)


def _code(code: int, effect: str) -> m.IpmiCell:
    return m.IpmiCell(code, effect, m.FactEvidence(m.Confidence.INFERRED))


def _at(low: float, high: float | None = None) -> m.Span:
    return m.Span(low, low if high is None else high)


def _all(word: str) -> dict[m.View, str | None]:
    return dict.fromkeys(m.View, word)


def tiny_profile() -> m.Profile:
    """409 where the target state holds, like one well-known vendor; the System says Off early, like another."""
    return m.Profile(
        id="tiny",
        title="made by hand for tests",
        extends=(),
        abstract=False,
        firmware={},
        sources={},
        vars={},
        ids=m.Ids(system="1", manager="bmc", chassis="chassis"),
        identity=m.Identity(
            vendor="Acme",
            product="Tiny",
            redfish_version="1.15.0",
            root_type="#ServiceRoot.v1_15_0.ServiceRoot",
            root_uuid="random",
            manufacturer="Acme",
            model="T1",
            sku="absent",
            system_type="#ComputerSystem.v1_20_0.ComputerSystem",
            system_uuid="random",
            manager_type="#Manager.v1_17_0.Manager",
            chassis_type="#Chassis.v1_23_0.Chassis",
            bios_version="1.0",
            bmc_model="TinyBMC",
            bmc_firmware="1.0.0",
        ),
        power=m.PowerRules(
            advertise="inline",
            reset_types=("On", "ForceOff", "GracefulShutdown", "GracefulRestart", "ForceRestart", "PowerCycle", "Nmi"),
            table={
                "On": {
                    "On": _cell("conflict"),
                    "ForceOff": _cell("cut"),
                    "GracefulShutdown": _cell("ask"),
                    "GracefulRestart": _cell("ask_again"),
                    "ForceRestart": _cell("restart"),
                    "PowerCycle": _cell("cycle"),
                    "Nmi": _cell("crash", assumed=True),
                },
                "Off": {"On": _cell("boot"), "ForceOff": _cell("conflict"), "GracefulShutdown": _cell("conflict")},
            },
            unlisted_type=_cell("bad"),
            outcomes={
                "conflict": m.PowerOutcome("conflict", "none"),
                "cut": m.PowerOutcome("ok", "force_off"),
                "ask": m.PowerOutcome("ok", "graceful"),
                "ask_again": m.PowerOutcome("ok", "reboot"),
                "restart": m.PowerOutcome("ok", "restart"),
                "cycle": m.PowerOutcome("ok", "cycle"),
                "crash": m.PowerOutcome("ok", "crash"),
                "boot": m.PowerOutcome("ok", "boot"),
                "bad": m.PowerOutcome("bad", "none"),
                "late_on": m.PowerOutcome("conflict", "none"),
            },
            effects={
                "force_off": (
                    m.EffectStep(at=_at(0), says={m.View.SYSTEM: "Off"}),
                    m.EffectStep(at=_at(4), real="Off", says=_all("Off")),
                ),
                "graceful": (m.EffectStep(at=_at(0), event=m.HostEvent.OS_SHUTDOWN),),
                "reboot": (m.EffectStep(at=_at(0), event=m.HostEvent.OS_REBOOT),),
                "restart": (m.EffectStep(at=_at(1), event=m.HostEvent.OS_RESTART),),
                "cycle": (
                    m.EffectStep(at=_at(2), real="Off", says=_all("Off")),
                    m.EffectStep(at=_at(12), real="On", says=_all("On")),
                ),
                "crash": (m.EffectStep(at=_at(0), event=m.HostEvent.OS_CRASH),),
                "boot": (m.EffectStep(at=_at(1, 3), real="On", says=_all("On")),),
            },
            on_os_down=(m.EffectStep(at=_at(1), real="Off", says=_all("Off")),),
            windows=(m.ReplyWindow(after="force_off", for_s=_at(30), reset=("On",), outcome="late_on"),),
        ),
        replies={
            "ok": m.ReplyTemplate(status=204),
            "conflict": m.ReplyTemplate(status=409, message="already"),
            "bad": m.ReplyTemplate(status=400, message="bad"),
            "full": m.ReplyTemplate(status=503, message="bad"),
        },
        messages={
            "already": m.MessageTemplate(id="Acme.1.0.Already", text="Server is already there.", severity="Warning"),
            "bad": m.MessageTemplate(id="Base.1.8.ActionParameterNotSupported", text="No.", severity="Warning"),
        },
        errors=m.ErrorShape(
            code="Base.1.8.GeneralError", summary="A general error has occurred.", fields=("MessageId", "Message")
        ),
        http=m.Http(etag="strong-hex", redirect_http=False, tls_min="1.2", features={}),
        auth=m.AuthRules(
            basic=True,
            accounts=(
                m.Account(name="root", password="Tr0ub4dor&3", role="Administrator"),
                m.Account(name="guest", password="looks-only", role="ReadOnly"),
            ),
            sessions=m.Sessions(max=2, timeout_s=30, on_full="full"),
            lockout=m.Lockout(by="account", failures=3, window_s=60, penalty_s=60),
        ),
        tasks={},
        bmc_reset=m.BmcReset(reset_types=(), reply="ok", grace_s=_at(1), outage_s=_at(5)),
        ipmi=m.Ipmi(
            lan=True,
            device=m.IpmiDevice(manufacturer=674, product=256, device_id=32, revision=1),
            cipher_suites=(3, 17),
            chassis={
                "On": {
                    "down": _code(0, "force_off"),
                    "up": _code(0, "none"),
                    "cycle": _code(0, "cycle"),
                    "reset": _code(0, "restart"),
                    "soft": _code(0, "graceful"),
                    "diag": _code(0, "crash"),
                },
                "Off": {"down": _code(0xD5, "none"), "up": _code(0, "boot"), "cycle": _code(0xD5, "none")},
            },
        ),
        timing=m.Timing(os_shutdown_s=_at(20)),
        inventory=m.Inventory(
            processors=1,
            cores=2,
            processor_maker="Acme",
            processor_model="A1",
            dimms=2,
            dimm_gib=8,
            drives=2,
            drive_gb=480,
            boot_drives=1,
            network_adapters=1,
            ports=2,
            port_gbps=10,
            power_supplies=2,
            psu_watts=500,
            fans=2,
            power_and_thermal="subsystems",
            virtual_media="system",
        ),
        faults={},
        resources=m.ResourceRules(),
        evidence={},
        digest="0" * 64,
    )


@dataclass
class Bench:
    """A rack without sockets, its clock, and short ways to look at it."""

    rack: Rack
    clock: VirtualClock

    def view(self, name: str = "node1") -> BmcView:
        return BmcView(self.rack, name)

    def host(self, name: str = "node1", n: int = 0) -> Host:
        return self.rack.unit(name).systems[n].host

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.rack.advance()

    def events(self, kind: EventKind) -> list[Event]:
        return [event for event in self.rack.journal if event.kind is kind]


def make_bench(*units: UnitSpec, seed: int = 7) -> Bench:
    clock = VirtualClock()
    tokens = count(1)
    rack = Rack(
        units, clock=clock, journal=Journal(clock), dice=random.Random(seed), make_token=lambda: f"token{next(tokens)}", seed=seed
    )
    rack.hold_all(VirtualHosts(rack))
    return Bench(rack, clock)


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one, for databases: the same calls, and nobody waits for a disk."""
    shared_memory = Path("/dev/shm")
    if not (shared_memory.is_dir() and os.access(shared_memory, os.W_OK)):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="fencelab-test-", dir=shared_memory) as folder:
        yield Path(folder)


@pytest.fixture
def profile() -> m.Profile:
    return tiny_profile()


@pytest.fixture
def bench_of(profile: m.Profile) -> Callable[..., Bench]:
    """`bench_of(HostSpec(power="off"), ...)`: one BMC called node1 with these hosts."""

    def make(*hosts: HostSpec, **spec: object) -> Bench:
        return make_bench(UnitSpec(name="node1", profile=profile, hosts=hosts or (HostSpec(),), **spec))  # type: ignore[arg-type]

    return make


@pytest.fixture
def bench(bench_of: Callable[..., Bench]) -> Bench:
    return bench_of()
