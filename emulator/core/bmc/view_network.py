"""What a front end may see and change of its BMC's own network interface."""

from __future__ import annotations

from collections.abc import Callable

from emulator.core.bmc import network
from emulator.core.bmc.network import Interface, Network
from emulator.core.bmc.unit import Unit
from emulator.core.bmc.view_machine import BmcViewPart
from emulator.core.rack import Rack


class NetworkView(BmcViewPart):
    """One interface for each BMC. What is set here moves no socket: see `emulator.core.bmc.network`."""

    __slots__ = ("_serial",)

    def __init__(self, rack: Rack, unit: Unit, serial: Callable[[], str]) -> None:
        """`serial()` is the machine's serial number, which names and addresses come from."""
        super().__init__(rack, unit)
        self._serial = serial

    def interface(self) -> Interface:
        """What is in force now."""
        return network.interface(self._unit.network, self._unit.listens, self._serial())

    @property
    def configured(self) -> Network:
        """What was set; change a copy of it and hand that to `configure`."""
        return self._unit.network

    def configure(self, new: Network, cause: int | None = None) -> None:
        """Raises SettingRefused; nothing has changed then."""
        network.check(new)
        if new == self._unit.network:
            return
        self._unit.network = new
        self._setting(
            "network", None, cause, dhcp=new.dhcp, address=new.address, mask=new.mask, gateway=new.gateway, vlan=new.vlan,
            vlan_id=new.vlan_id, host_name=new.host_name,
        )  # fmt: skip

    def found_at(self, address: str) -> None:
        """Where the BMC listens, told by whoever opened its sockets."""
        self._unit.listens = network.listening(address)
