"""The world of `tests.ha_world` with further devices: what each of them says, and which of them obey."""

from __future__ import annotations

from dataclasses import replace

from fencer.ha.observations import Claimed, DeviceRead, PowerRead
from fencer.ha.policy import Policy
from fencer.ha.record import OWN_BMC, BmcRequest, RequestKind
from fencer.ha.states import HAState
from fencer.outcome import Cause, Failure, Power, Reading, Witness, WitnessState
from tests.ha_world import World

PDUS = (("bmc",), ("pdu1", "pdu2"))
POWER = {"On": Power.ON, "Off": Power.OFF, "some On": Power.MIXED}


class LevelWorld(World):
    """`says`: the word of each device, or why it cannot be read. `obeys`: the devices that a power-off switches off."""

    def __init__(self, levels: tuple[tuple[str, ...], ...] = PDUS, own: str | Cause = "On", **policy: object) -> None:
        settings = Policy(recovery_attempts=0, fast_path=False, activity_samples=1, **policy)  # type: ignore[arg-type]
        super().__init__(own, settings, levels=levels)
        self.says: dict[str, str | Cause] = {name: "On" for level in levels for name in level if name != OWN_BMC}
        self.obeys: set[str] = set(self.says)
        self.silent_names: set[str] = set()  # devices that leave no answer in a read
        self.sent: list[tuple[float, tuple[str, ...]]] = []
        self.asked: list[tuple[str, ...]] = []
        self.own_asked = 0

    def answer(self, request: BmcRequest) -> None:
        if request.ask is RequestKind.OFF:
            self.sent.append((self.now, request.devices))
            for name in self.obeys & set(request.devices):
                if name == OWN_BMC:
                    self.word = "Off"
                elif isinstance(self.says[name], str):
                    self.says[name] = "Off"
        super().answer(request)

    def word_of(self, device: str) -> str | Cause:
        return self.word if device == OWN_BMC else self.says[device]

    def read(self, request: BmcRequest, epoch: int) -> PowerRead:
        if request.ask is RequestKind.CHECK:
            return super().read(request, epoch)
        self.asked.append(request.devices)
        first, *others = [self.one(name) for name in request.devices if name not in self.silent_names]
        own = None
        if request.own_too and all(self.word_of(name) == "Off" for name in request.devices):
            self.own_asked += 1
            own = self.one(OWN_BMC)
        return PowerRead(
            request=request.id, epoch=epoch, started=self.now, reading=first.reading, failure=first.failure,
            contradicts=first.contradicts, others=tuple(others), own=own,
        )  # fmt: skip

    def one(self, device: str) -> DeviceRead:
        word = self.word_of(device)
        if isinstance(word, Cause):
            return DeviceRead(device=device, failure=Failure(cause=word, text=f"no reading: {word}"))
        pdu = device.startswith("pdu")
        witness = (Witness(uri=f"/{device}/A1", state=WitnessState.SAYS, word=word, kind="outlet"),) if pdu else ()
        return DeviceRead(
            device=device,
            reading=Reading(
                power=POWER.get(word, Power.UNKNOWN), word=word, at=self.now, path="pdu" if pdu else "redfish", source=device,
                witnesses=witness,
            ),
        )  # fmt: skip

    def taken_over(self) -> None:
        """Another manager claims the host."""
        self.rec = replace(self.rec, epoch=self.rec.epoch + 1)
        self.see(Claimed())


def level_fencing(
    levels: tuple[tuple[str, ...], ...] = PDUS, own: str | Cause = Cause.UNREACHABLE, **policy: object
) -> LevelWorld:
    world = LevelWorld(levels, own, **policy)
    world.to(HAState.FENCING)
    return world
