"""The operations of the control API. Each handler makes short calls into the emulator's thread, through its public API.

`ControlListener` makes one `ControlApi`; its methods run in the thread of the connection. `ROUTES` is the whole API, and the
OpenAPI document is made from it.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

from emulator import (
    CannotBind,
    Emulator,
    EmulatorError,
    FaultMisconfigured,
    HostSpec,
    Place,
    PowerAction,
    UnitSpec,
    arming_from_mapping,
    check_profile,
    fault_names,
)
from emulator.control import told
from emulator.control.guard import host_is_allowed, is_address, token_is_right
from emulator.control.http_server import ControlAnswer, HttpRequest, ServerCounts
from emulator.control.journal_reader import JournalReader
from emulator.control.metrics import metrics_text
from emulator.control.models import (
    AddBmc,
    ArmedFault,
    ArmedFaults,
    BmcDetails,
    BmcList,
    BmcQuery,
    ClockReading,
    ClockRequest,
    EmulatorHealth,
    FaultQuery,
    FaultTypeDetails,
    FaultTypeList,
    Instance,
    JournalQuery,
    MuteRequest,
    NamedFault,
    PowerRequest,
    Stopping,
)
from emulator.control.openapi import document
from emulator.control.routes import LINES, TEXT, Call, ControlRefused, Reply, Route, checked, problem
from profiles import loader
from profiles.errors import ProfileError

MAX_FAULTS: Final = 64
"""Armed faults of one BMC: every request asks each of them."""
MAX_ADDED: Final = 1_000
HEALTHY_WITHIN_S: Final = 2.0


class ControlApi:
    """`added` are the profiles, as they were named, of the BMCs that clients have added."""

    def __init__(self, emulator: Emulator, *, name: str, token: str, stop: Callable[[], object]) -> None:
        self._emulator = emulator
        self._name = name
        self._token = token
        self._stop = stop
        self._adding = threading.Lock()
        self._used: set[str] = set()  # names: the journal takes each only once
        self.reader = JournalReader(emulator)
        self.counts = ServerCounts()
        self.ready = False
        self.added: dict[str, str] = {}

    # -- one request ---------------------------------------------------------------------------------------------------

    def answer(self, request: HttpRequest) -> ControlAnswer:
        """The answer to any request; it never raises."""
        if not host_is_allowed(request.headers.get("host", "")):
            return problem(421, "the Host header must name an IP address or localhost")
        if "origin" in request.headers:
            return problem(403, "this is not for pages in a browser")
        found = [(route, path) for route in ROUTES if (path := route.match(request.path)) is not None]
        chosen = next((pair for pair in found if pair[0].method == request.method), None)
        public = chosen is not None and chosen[0].public
        if not public and not token_is_right(request.headers, self._token):
            return problem(401, "the token is missing or wrong", (), ("WWW-Authenticate", "Bearer"))
        if chosen is None:
            if not found:
                return problem(404, "there is nothing at this path; /openapi.json says what there is")
            allowed = ", ".join(sorted(route.method for route, _ in found))
            return problem(405, f"this path takes {allowed}", (), ("Allow", allowed))
        return self._serve(chosen[0], Call(request, chosen[1]))

    def _serve(self, route: Route, call: Call) -> ControlAnswer:
        try:
            if route.query not in (BmcQuery, FaultQuery, JournalQuery):
                call.query(route.query)
            return route.serve(self, call).http()
        except ControlRefused as error:
            return problem(error.status, str(error), error.problems)
        except FaultMisconfigured as error:
            return problem(422, str(error).replace("\n", "; "), error.problems)
        except CannotBind as error:
            return problem(409, str(error))
        except EmulatorError as error:
            return problem(409 if error.http_status == 400 else error.http_status, str(error))
        except RuntimeError:
            return problem(503, "the emulator is stopping")

    # -- the instance --------------------------------------------------------------------------------------------------

    def instance(self, call: Call) -> Reply:
        emulator = self._emulator
        return Reply(
            model=Instance(
                name=self._name,
                pid=os.getpid(),
                version=version(),
                seed=emulator.seed,
                bmcs=len(emulator.endpoints),
                faults=len(emulator.faults()),
                ready=self.ready,
                last_seq=emulator.last_seq(),
                clock=self._clock(),
            )
        )

    def stop(self, call: Call) -> Reply:
        answer = Reply(model=Stopping(), status=202).http()
        return Reply(answer=replace(answer, then=self._stop))  # not before the client has its answer

    def health(self, call: Call) -> Reply:
        alive = self._emulator.responds(HEALTHY_WITHIN_S)
        return Reply(model=EmulatorHealth(status="ok" if alive else "stuck"), status=200 if alive else 503)

    def readiness(self, call: Call) -> Reply:
        ready = self.ready and self._emulator.responds(HEALTHY_WITHIN_S)
        return Reply(model=EmulatorHealth(status="ok" if ready else "starting"), status=200 if ready else 503)

    def metrics(self, call: Call) -> Reply:
        counts = self.counts
        text = metrics_text(
            told.all_statuses(self._emulator),
            self._emulator.last_seq(),
            self.reader.dropped,
            counts.connections,
            counts.refused,
            dict(counts.answers),
        )
        return Reply(text=text)

    def openapi(self, call: Call) -> Reply:
        return Reply(answer=ControlAnswer(200, openapi_json()))

    # -- BMCs ----------------------------------------------------------------------------------------------------------

    def bmcs(self, call: Call) -> Reply:
        query = call.query(BmcQuery)
        page = self._emulator.statuses(query.offset, query.limit)
        listed = [each for status in page if (each := told.bmc(self._emulator, status)) is not None]
        return Reply(model=BmcList(bmcs=listed, next=query.offset + len(page) if len(page) == query.limit else None))

    def bmc(self, call: Call) -> Reply:
        return Reply(model=self._details(call.path["bmc"]))

    def add(self, call: Call) -> Reply:
        asked = call.body(AddBmc)
        if os.sep in asked.profile and not os.path.isabs(asked.profile):
            raise ControlRefused(409, "profile: a file needs its absolute path: the emulator has another working directory")
        try:
            profile = loader.load(Path(asked.profile) if os.sep in asked.profile else asked.profile, also=check_profile)
        except ProfileError as error:
            raise ControlRefused(409, str(error)) from None
        if asked.listen is not None and not is_address(asked.listen):
            raise ControlRefused(409, f"listen: {asked.listen!r} is not an IP address")
        place = None
        if asked.listen or asked.redfish_port or asked.ipmi_port:
            listen = asked.listen or next((each.host for each in self._emulator.endpoints.values()), "127.0.0.1")
            place = Place(listen=listen, redfish_port=asked.redfish_port, ipmi_port=asked.ipmi_port)
        with self._adding:
            if len(self.added) >= MAX_ADDED:
                raise ControlRefused(409, f"{MAX_ADDED} BMCs were added already")
            name = asked.name or self._free_name(profile.id)
            self._used.add(name)
            self._emulator.add(UnitSpec(name=name, profile=profile, hosts=(HostSpec(power=asked.power),)), place)
            self.added[name] = asked.profile
        return Reply(model=self._details(name), status=201, location=f"/v1/bmcs/{name}")

    def _free_name(self, base: str) -> str:
        n = 1
        while f"{base}-{n}" in self._emulator.endpoints or f"{base}-{n}" in self._used | self.added.keys():
            n += 1
        return f"{base}-{n}"

    def remove(self, call: Call) -> Reply:
        self._emulator.remove(call.path["bmc"])
        return Reply(status=204)

    def power(self, call: Call) -> Reply:
        asked, name = call.body(PowerRequest), call.path["bmc"]
        self._emulator.power(name, PowerAction(asked.action), asked.system, as_profile=asked.as_profile)
        return Reply(model=self._details(name))

    def mute(self, call: Call) -> Reply:
        asked, name = call.body(MuteRequest), call.path["bmc"]
        (self._emulator.mute if asked.muted else self._emulator.unmute)(name)
        return Reply(model=self._details(name))

    def _details(self, name: str) -> BmcDetails:
        status = self._emulator.status(name)
        try:
            endpoint = self._emulator.endpoints[name]
        except KeyError:
            raise ControlRefused(404, f"the BMC {name!r} was removed") from None
        return told.bmc_details(status, endpoint, sorted(self._emulator.named_faults(name)))

    # -- faults --------------------------------------------------------------------------------------------------------

    def fault_types(self, call: Call) -> Reply:
        return Reply(model=FaultTypeList(types=[told.fault_type_name(name) for name in fault_names()]))

    def fault_type(self, call: Call) -> Reply:
        found = told.fault_type(call.path["type"])
        if isinstance(found, str):
            raise ControlRefused(404, found)
        return Reply(model=found)

    def faults(self, call: Call) -> Reply:
        listed = self._emulator.faults(call.query(FaultQuery).bmc)
        return Reply(model=ArmedFaults(faults=[told.fault(status) for status in listed]))

    def arm(self, call: Call) -> Reply:
        name, data = call.path["bmc"], call.json()
        if not isinstance(data, dict):
            raise ControlRefused(422, "a fault is a map: type, when, count, after, until, probability, params")
        if self._emulator.status(name).faults >= MAX_FAULTS:
            raise ControlRefused(409, f"{name} has {MAX_FAULTS} faults already: take one away first")
        fault = checked(NamedFault, data).named if "named" in data else arming_from_mapping(data)
        fault_id = self._emulator.arm(name, fault)
        armed = next((each for each in self._emulator.faults(name) if each.id == fault_id), None)
        if armed is None:
            raise ControlRefused(404, f"the fault {fault_id} was taken away meanwhile")
        return Reply(model=told.fault(armed), status=201, location=f"/v1/faults/{fault_id}")

    def disarm(self, call: Call) -> Reply:
        self._emulator.disarm(call.path["fault"])
        return Reply(status=204)

    # -- time and the journal ------------------------------------------------------------------------------------------

    def clock(self, call: Call) -> Reply:
        return Reply(model=self._clock())

    def set_clock(self, call: Call) -> Reply:
        asked = call.body(ClockRequest)
        self._emulator.set_clock(rate=asked.rate, paused=asked.paused, step_s=asked.step_s)
        return Reply(model=self._clock())

    def _clock(self) -> ClockReading:
        status = self._emulator.clock_status()
        return ClockReading(now_s=status.now_s, rate=status.rate, paused=status.paused)

    def journal(self, call: Call) -> Reply:
        query = call.query(JournalQuery)
        lines = self.reader.follow(query) if query.follow else self.reader.page(query)
        return Reply(answer=ControlAnswer(200, content_type=LINES, stream=lines))


@cache
def version() -> str:
    try:
        return metadata.version("fencelab")
    except metadata.PackageNotFoundError:
        return "unknown"


@cache
def openapi_json() -> bytes:
    return json.dumps(document(ROUTES, version())).encode()


_BMC, _FAULT = "/v1/bmcs/{bmc}", "/v1/faults/{fault}"
ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET",
        "/healthz",
        "health",
        "Whether the emulator's thread works",
        ControlApi.health,
        answer=EmulatorHealth,
        errors=(503,),
        public=True,
    ),
    Route(
        "GET",
        "/readyz",
        "readiness",
        "Whether all BMCs answer",
        ControlApi.readiness,
        answer=EmulatorHealth,
        errors=(503,),
        public=True,
    ),
    Route("GET", "/metrics", "metrics", "Figures for Prometheus", ControlApi.metrics, content_type=TEXT),
    Route("GET", "/openapi.json", "openapi", "This document", ControlApi.openapi, public=True),
    Route("GET", "/v1/instance", "instance", "Which emulator this is", ControlApi.instance, answer=Instance),
    Route("POST", "/v1/stop", "stop", "End the emulator, as Ctrl-C does", ControlApi.stop, answer=Stopping, status=202),
    Route("GET", "/v1/bmcs", "listBmcs", "BMCs and their hosts", ControlApi.bmcs, query=BmcQuery, answer=BmcList),
    Route(
        "POST",
        "/v1/bmcs",
        "addBmc",
        "One more BMC",
        ControlApi.add,
        body=(AddBmc,),
        answer=BmcDetails,
        status=201,
        errors=(409,),
    ),
    Route("GET", _BMC, "showBmc", "One BMC, and how to log in", ControlApi.bmc, answer=BmcDetails, errors=(404,)),
    Route("DELETE", _BMC, "removeBmc", "Take a BMC away", ControlApi.remove, status=204, errors=(404, 409)),
    Route(
        "POST",
        f"{_BMC}/power",
        "power",
        "Switch, press, plug, hang, crash or boot a host by hand",
        ControlApi.power,
        body=(PowerRequest,),
        answer=BmcDetails,
        errors=(404, 409),
    ),
    Route(
        "PUT",
        f"{_BMC}/mute",
        "mute",
        "Let the network swallow what is sent to a BMC, or not any more",
        ControlApi.mute,
        body=(MuteRequest,),
        answer=BmcDetails,
        errors=(404, 409),
    ),
    Route(
        "POST",
        f"{_BMC}/faults",
        "armFault",
        "Arm a fault: fault/1, or one of the profile's own by name",
        ControlApi.arm,
        body=(NamedFault,),
        takes_fault=True,
        answer=ArmedFault,
        status=201,
        errors=(404, 409),
    ),
    Route(
        "GET", "/v1/faults", "listFaults", "What is armed", ControlApi.faults, query=FaultQuery, answer=ArmedFaults, errors=(404,)
    ),
    Route("DELETE", _FAULT, "disarmFault", "Take a fault away", ControlApi.disarm, status=204, errors=(404,)),
    Route("GET", "/v1/fault-types", "listFaultTypes", "Faults that there are", ControlApi.fault_types, answer=FaultTypeList),
    Route(
        "GET",
        "/v1/fault-types/{type}",
        "showFaultType",
        "One of them with its parameters",
        ControlApi.fault_type,
        answer=FaultTypeDetails,
        errors=(404,),
    ),
    Route("GET", "/v1/clock", "clock", "The emulator's time", ControlApi.clock, answer=ClockReading),
    Route(
        "PATCH",
        "/v1/clock",
        "setClock",
        "Pause, step, speed up",
        ControlApi.set_clock,
        body=(ClockRequest,),
        answer=ClockReading,
        errors=(409,),
    ),
    Route(
        "GET",
        "/v1/journal",
        "journal",
        "Events, one JSON object a line",
        ControlApi.journal,
        query=JournalQuery,
        content_type=LINES,
        errors=(503,),
    ),
)
