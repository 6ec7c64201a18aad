"""A rack with one BMC behind Flask's test client, on virtual time."""

from __future__ import annotations

import random
from functools import cache
from itertools import count

import pytest

from emulator.core.bmc.view import BmcView
from emulator.core.clock import VirtualClock
from emulator.core.faults.board import Armed
from emulator.core.faults.trigger import ALWAYS
from emulator.core.journal import EventKind, Journal
from emulator.core.rack import HostSpec, Rack, UnitSpec
from emulator.core.truth.host import News
from emulator.core.truth.virtual_hosts import VirtualHosts
from emulator.redfish.service import app
from emulator.redfish.service.app import create_app
from emulator.redfish.service.tree import Tree
from profiles.loader import load

load = cache(load)
_trees = {}


@pytest.fixture(scope="session", autouse=True)
def share_trees():
    """One tree per profile and names for all tests, as the BMCs of one rack share one: it holds nothing of any BMC."""

    def shared(profile, names):
        # The profile stays in the value, so that its id is never given to another.
        key = (id(profile), names)
        if key not in _trees:
            _trees[key] = (profile, Tree(profile, names))
        return _trees[key][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "Tree", shared)
        yield


PASSWORD = "Zq4-unguessable.9x"
ONE_HOST = (HostSpec(),)
RESET = "Actions/ComputerSystem.Reset"


class Bmc:
    """What a test needs of a BMC: requests as its administrator (`auth=None`: as nobody), time, faults, the journal."""

    def __init__(self, profile, hosts=ONE_HOST):
        self.profile = load(profile) if isinstance(profile, str) else profile
        self.clock = VirtualClock()
        self.journal = Journal(self.clock)
        tokens = count(0xFACE0000)
        self.rack = Rack(
            [UnitSpec(name="n1", profile=self.profile, hosts=tuple(hosts), password=PASSWORD)],
            clock=self.clock,
            journal=self.journal,
            dice=random.Random(7),
            make_token=lambda: f"{next(tokens):032x}",
        )
        self.rack.hold_all(VirtualHosts(self.rack))
        self.app = create_app(self.rack)
        self.app.testing = True
        self.client = self.app.test_client()
        self.admin = (self.profile.auth.accounts[0].name, PASSWORD)
        self.system = f"/redfish/v1/Systems/{self.profile.ids.system}"
        self.chassis = f"/redfish/v1/Chassis/{self.profile.ids.chassis}"
        self.sessions = "/redfish/v1/SessionService/Sessions"

    def ask(self, method, path, **more):
        more.setdefault("auth", self.admin)
        if more["auth"] is None:
            del more["auth"]
        return self.client.open(path, method=method, **more)

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, **more):
        return self.ask("POST", path, **more)

    def reset(self, word, **more):
        return self.post(f"{self.system}/{RESET}", json={"ResetType": word}, **more)

    def log_in(self, auth=None, **more):
        name, password = auth or self.admin
        return self.post(self.sessions, json={"UserName": name, "Password": password}, auth=None, **more)

    def power(self, path=None):
        return self.get(path or self.system).json["PowerState"]

    def arm(self, fault, when=ALWAYS, **more):
        self.rack.arm("n1", Armed(fault=fault, when=when, **more))

    def view(self):
        """The BMC as another front end sees it."""
        return BmcView(self.rack, "n1")

    def hang(self):
        self.rack.news("n1", self.profile.ids.system, News.OS_HUNG)

    def events(self, kind):
        return [event.data for event in self.journal if event.kind is EventKind(kind)]


def message_of(answer):
    """(MessageId without registry and version, MessageArgs) of an error body."""
    entry = answer.json["error"]["@Message.ExtendedInfo"][0]
    return entry["MessageId"].rpartition(".")[2], entry["MessageArgs"]


@pytest.fixture
def make_bmc():
    return Bmc


@pytest.fixture
def generic():
    return Bmc("dmtf-generic")


@pytest.fixture
def message():
    return message_of
