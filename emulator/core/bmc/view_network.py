"""What a front end may read and change of its BMC's network interface.

Redfish's EthernetInterface and IPMI's LAN parameters call it, in the emulator's one thread.
"""

from __future__ import annotations

from collections.abc import Callable

from emulator.core.bmc import network
from emulator.core.bmc.network import FoundNames, Interface, Network
from emulator.core.bmc.unit import Unit
from emulator.core.bmc.view_machine import BmcViewPart
from emulator.core.rack import Rack


class NetworkView(BmcViewPart):
    """The one network interface of a BMC. Settings are only stored and shown, see `emulator.core.bmc.network`."""

    __slots__ = ("_names",)

    def __init__(self, rack: Rack, unit: Unit, names: Callable[[], FoundNames]) -> None:
        """`names()` are those of the first system. The default host name and addresses come from them."""
        super().__init__(rack, unit)
        self._names = names

    def interface(self) -> Interface:
        """What the BMC shows now."""
        return network.interface(self._unit.network, self._unit.listens, self._names())

    @property
    def configured(self) -> Network:
        """What a client has set. To change it, pass a changed copy to `configure`."""
        return self._unit.network

    def configure(self, new: Network, cause: int | None = None) -> None:
        """Stores new settings. Raises SettingRefused, and changes nothing, for values that no interface can have."""
        network.check(new)
        if new == self._unit.network:
            return
        self._unit.network = new
        self._setting(
            "network", None, cause, dhcp=new.dhcp, address=new.address, mask=new.mask, gateway=new.gateway, vlan=new.vlan,
            vlan_id=new.vlan_id, host_name=new.host_name,
        )  # fmt: skip

    def found_at(self, address: str) -> None:
        """Notes the IP address on which the BMC listens. The code that opens its sockets calls this."""
        self._unit.listens = network.listening(address)
