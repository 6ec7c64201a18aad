"""Real IPMI clients against real sockets: ipmitool, FreeIPMI, fence_ipmilan."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from emulator.core.bmc.view import BmcView
from emulator.core.faults.board import Armed
from emulator.core.faults.trigger import When
from emulator.core.journal import EventKind
from emulator.core.rack import UnitSpec
from emulator.core.vocab import Os, Rail
from emulator.faults.protocol import Completion, Silence
from profiles import load
from profiles.model import EffectStep, Profile, Span
from tests.conftest import tiny_profile
from tests.effort import profiles_to_try
from tests.ipmi_lan import Lan

ADDRESS = "127.0.72.1"
USER, PASSWORD = "root", "Tr0ub4dor&3"
PATIENCE = 60

COMPLETION_TEXTS = {
    0xC0: "Node busy",
    0xC1: "Invalid command",
    0xC3: "Timeout",
    0xCC: "Invalid data field in request",
    0xD4: "Insufficient privilege level",
    0xD5: "Command not supported in present state",
    0xFF: "Unspecified error",
}


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str


def quick(profile: Profile) -> Profile:
    """Every effect at once: these tests are about clients, and clients wait in real time."""
    now = Span(0, 0)
    effects = {
        name: tuple(replace(step, at=Span(0.1, 0.1) if name == "cycle" and step.real == "On" else now) for step in steps)
        for name, steps in profile.power.effects.items()
    }
    down: tuple[EffectStep, ...] = tuple(replace(step, at=now) for step in profile.power.on_os_down)
    return replace(
        profile,
        power=replace(profile.power, effects=effects, on_os_down=down),
        timing=replace(profile.timing, os_shutdown_s=now),
        auth=replace(profile.auth, lockout=replace(profile.auth.lockout, failures=0)),
    )


class Bed:
    """One BMC, and clients that are told where it is."""

    def __init__(self, lan: Lan) -> None:
        self.lan = lan

    def run(self, *argv: str) -> Run:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
        return Run(done.returncode, done.stdout, done.stderr)

    def ipmitool(self, *argv: str, user: str = USER, password: str = PASSWORD, interface: str = "lanplus") -> Run:
        where = ("-H", ADDRESS, "-p", str(self.lan.port))
        return self.run("ipmitool", "-I", interface, *where, "-U", user, "-P", password, *argv)

    def freeipmi(self, tool: str, *argv: str, driver: str = "LAN_2_0") -> Run:
        return self.run(tool, "-D", driver, "-h", f"{ADDRESS}:{self.lan.port}", "-u", USER, "-p", PASSWORD, *argv)

    def fence_ipmilan(self, *argv: str) -> Run:
        where = (f"--ip={ADDRESS}", f"--ipport={self.lan.port}")
        return self.run("fence_ipmilan", *where, "-l", USER, "-p", PASSWORD, "--power-wait=0", *argv)

    def guid(self, **who: str) -> str:
        """The GUID as ipmitool shows it."""
        lines = self.ipmitool("mc", "guid", **who).out.splitlines()
        return next(line.split(":")[1].strip() for line in lines if "System GUID" in line)

    def commands(self) -> list[object]:
        return [event.data["outcome"] for event in self.lan.events(EventKind.COMMAND)]


MakeBed = Callable[..., Bed]


@pytest.fixture
def bed_of() -> Iterator[MakeBed]:
    opened: list[Lan] = []

    def make(base: Profile | None = None, **ipmi: object) -> Bed:
        profile = quick(base or tiny_profile())
        profile = replace(profile, ipmi=replace(profile.ipmi, **ipmi))  # type: ignore[arg-type]
        lan = Lan([UnitSpec(name="node1", profile=profile)], [ADDRESS])
        opened.append(lan)
        return Bed(lan.__enter__())

    yield make
    for lan in opened:
        lan.__exit__()


@pytest.fixture
def bed(bed_of: MakeBed) -> Bed:
    return bed_of()


# -- ipmitool ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", [(), ("-C", "3"), ("-C", "17")], ids=["automatic", "3", "17"])
def test_ipmitool_reads_power(bed, suite):
    run = bed.ipmitool(*suite, "chassis", "power", "status")
    assert (run.code, run.out) == (0, "Chassis Power is on\n")


@pytest.mark.parametrize("suites", [(3,), (17,), (3, 17), (17, 3)], ids=str)
def test_the_automatic_choice_works_with_whatever_the_profile_offers(bed_of, suites):
    assert bed_of(cipher_suites=suites).ipmitool("chassis", "power", "status").out == "Chassis Power is on\n"


@pytest.mark.parametrize("suite", ["0", "1", "2"])
def test_weak_suites_are_refused(bed, suite):
    run = bed.ipmitool("-v", "-C", suite, "chassis", "power", "status")
    assert run.code == 1
    assert "no matching cipher suite" in run.out + run.err


def test_a_bmc_without_sha1_names_the_algorithm_as_invalid(bed_of):
    run = bed_of(cipher_suites=(17,)).ipmitool("-v", "-C", "3", "chassis", "power", "status")
    assert run.code == 1
    assert "invalid authentication algorithm" in run.out + run.err


@pytest.mark.parametrize("who", [{"user": "nobody"}, {"password": "wrong"}, {"user": "guest", "password": "looks-only"}], ids=str)
def test_who_may_not_come_in_is_told(bed, who):
    run = bed.ipmitool("chassis", "power", "status", **who)
    assert run.code == 1
    assert "Unable to establish IPMI v2 / RMCP+ session" in run.err


def test_a_user_may_look_and_not_switch(bed):
    guest = {"user": "guest", "password": "looks-only"}
    assert bed.ipmitool("-L", "USER", "chassis", "power", "status", **guest).out == "Chassis Power is on\n"
    run = bed.ipmitool("-L", "USER", "chassis", "power", "off", **guest)
    assert (run.code, "Insufficient privilege level" in run.err) == (1, True)
    assert bed.commands() == []


@pytest.mark.parametrize("interface", ["lanplus", "lan"])
@pytest.mark.parametrize(
    ("word", "outcome", "rail"),
    [
        ("off", "down", Rail.DOWN),
        ("soft", "soft", Rail.DOWN),
        ("reset", "reset", Rail.UP),
        ("diag", "diag", Rail.UP),
        ("on", "up", Rail.UP),
        ("cycle", "cycle", None),
    ],
)
def test_every_power_command_reaches_the_host(bed, interface, word, outcome, rail):
    run = bed.ipmitool("chassis", "power", word, interface=interface)
    assert run.code == 0, run.err
    assert bed.commands() == [outcome]
    assert rail is None or bed.lan.host("node1").rail is rail
    if word == "diag":
        assert bed.lan.host("node1").os is Os.STOPPED


def test_what_the_profile_refuses_is_refused_in_ipmitools_words(bed):
    bed.ipmitool("chassis", "power", "off")
    for word in ("off", "cycle"):
        run = bed.ipmitool("chassis", "power", word)
        assert (run.code, "Command not supported in present state" in run.err) == (1, True)
    assert bed.ipmitool("chassis", "power", "status").out == "Chassis Power is off\n"


@pytest.mark.parametrize("code", COMPLETION_TEXTS, ids=hex)
def test_every_completion_code_reaches_ipmitool(bed, code):
    bed.lan.arm("node1", Armed(fault=Completion(code), when=When(path="chassis-control")))
    run = bed.ipmitool("chassis", "power", "off")
    assert (run.code, COMPLETION_TEXTS[code] in run.err) == (1, True)
    assert bed.lan.host("node1").rail is Rail.UP


def test_a_lost_reply_makes_ipmitool_send_again_and_the_command_run_twice(bed):
    bed.lan.arm("node1", Armed(fault=Silence(executed=True), when=When(path="chassis-control"), count=1))
    assert bed.ipmitool("chassis", "power", "reset").code == 0
    assert bed.commands() == ["reset", "reset"]


def test_mc_info_and_guid_show_the_profiles_identity(bed):
    info = bed.ipmitool("mc", "info").out
    assert "Manufacturer ID           : 674" in info
    assert "Product ID                : 256 (0x0100)" in info
    shown = bed.guid()
    assert uuid.UUID(shown) == uuid.UUID(BmcView(bed.lan.rack, "node1").first_system().uuid)


def test_users_channel_and_sessions_are_listed(bed):
    users = bed.ipmitool("user", "list", "1")
    assert users.code == 0, users.err
    assert [line.split()[1] for line in users.out.splitlines() if line.split()[-1] in ("ADMINISTRATOR", "USER")] == [
        "root",
        "guest",
    ]
    assert "Session Support       : multi-session" in bed.ipmitool("channel", "info", "1").out
    assert "user id                       : 2" in bed.ipmitool("session", "info", "active").out


def test_boot_device_policy_and_identify_are_kept(bed):
    assert bed.ipmitool("chassis", "bootdev", "pxe").code == 0
    assert "Force PXE" in bed.ipmitool("chassis", "bootparam", "get", "5").out
    assert bed.ipmitool("chassis", "policy", "always-on").code == 0
    assert bed.ipmitool("chassis", "identify", "force").code == 0
    status = bed.ipmitool("chassis", "status").out
    assert "Power Restore Policy : always-on" in status


def test_lan_switched_off_is_silence(bed_of):
    run = bed_of(lan=False).ipmitool("-N", "1", "-R", "1", "chassis", "power", "status")
    assert (run.code, run.out) == (1, "")


@pytest.mark.parametrize("how", [(), ("-A", "MD5"), ("-A", "PASSWORD")], ids=str)
def test_ipmitool_over_1_5(bed, how):
    assert bed.ipmitool(*how, "chassis", "power", "status", interface="lan").out == "Chassis Power is on\n"


def test_no_authentication_over_1_5_is_refused(bed):
    run = bed.ipmitool("-A", "NONE", "chassis", "power", "status", interface="lan")
    assert (run.code, "Authentication type NONE not supported" in run.err) == (1, True)


@pytest.mark.parametrize("name", profiles_to_try())
def test_every_shipped_profile_is_fenced_by_ipmitool_and_shows_redfishs_uuid(bed_of, name):
    profile = load(name)
    bed, account = bed_of(profile), profile.auth.accounts[0]
    who = {"user": account.name, "password": account.password}
    assert bed.ipmitool("chassis", "power", "status", **who).out == "Chassis Power is on\n"
    shown = next(
        line.split(":")[1].strip() for line in bed.ipmitool("mc", "guid", **who).out.splitlines() if "System GUID" in line
    )
    expected = BmcView(bed.lan.rack, "node1").first_system().uuid
    assert expected == "absent" or uuid.UUID(shown) == uuid.UUID(expected)
    assert bed.ipmitool("chassis", "power", "off", **who).code == 0
    assert bed.ipmitool("chassis", "power", "status", **who).out == "Chassis Power is off\n"
    assert bed.lan.host("node1").rail is Rail.DOWN
    cell = profile.ipmi.chassis["Off"]["down"].completion_code
    assert bed.ipmitool("chassis", "power", "off", **who).code == (1 if cell else 0)


# -- FreeIPMI ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("driver", [("LAN",), ("LAN_2_0",), ("LAN_2_0", "-I", "17")], ids=" ".join)
def test_ipmipower_reads_and_switches(bed, driver):
    def power(*argv: str) -> str:
        return bed.freeipmi("ipmipower", *driver[1:], *argv, driver=driver[0]).out

    assert power("--stat") == f"{ADDRESS}: on\n"
    assert power("--off") == f"{ADDRESS}: ok\n"
    assert power("--stat") == f"{ADDRESS}: off\n"
    assert power("--on") == f"{ADDRESS}: ok\n"
    assert power("--reset") == f"{ADDRESS}: ok\n"
    assert bed.commands() == ["down", "up", "reset"]


@pytest.mark.parametrize("driver", ["LAN", "LAN_2_0"])
def test_freeipmi_reads_status_and_device(bed, driver):
    status = bed.freeipmi("ipmi-chassis", "--get-chassis-status", driver=driver)
    assert "System Power                        : on" in status.out
    info = bed.freeipmi("bmc-info", driver=driver)
    assert info.code == 0, info.err
    assert "Manufacturer ID       : Dell Inc. (674)" in info.out
    # bmc-info 1.6.10 prints memory that it never set for channels that do not exist; the first blocks are those that we answered.
    told = info.out[info.out.index("Channel Number") :].splitlines()
    channels = [line.split(":")[1].strip() for line in told if line.startswith(("Channel Number", "Medium Type"))]
    assert channels[:4] == ["0", "IPMB (I2C)", "1", "802.3 LAN"]
    assert bed.freeipmi("ipmi-chassis", "--chassis-control=POWER-DOWN", driver=driver).code == 0
    assert bed.lan.host("node1").rail is Rail.DOWN


# -- fence_ipmilan -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [(), ("-P",), ("-P", "--cipher=17")], ids=["1.5", "lanplus", "suite 17"])
def test_fence_ipmilan_fences(bed, how):
    assert bed.fence_ipmilan(*how, "-o", "status").code == 0
    assert bed.fence_ipmilan(*how, "-o", "off").code == 0
    assert bed.lan.host("node1").rail is Rail.DOWN
    assert bed.fence_ipmilan(*how, "-o", "status").code == 2
    assert bed.fence_ipmilan(*how, "-o", "on").code == 0
    assert bed.lan.host("node1").rail is Rail.UP
