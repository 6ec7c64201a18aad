"""The boot override of a system and its last boot. Redfish Boot and IPMI boot flags show the same data.

`BootView` changes the override for a front end; `BmcLogWriter` calls `Boot.take` when the host boots, both in the emulator's one
thread. `Once` lasts for exactly one boot, whatever caused it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum

from emulator.core.clock import Instant
from emulator.core.errors import SettingRefused


class BootTarget(StrEnum):
    """Redfish ComputerSystem.BootSource."""

    NONE = "None"
    PXE = "Pxe"
    FLOPPY = "Floppy"
    CD = "Cd"
    USB = "Usb"
    HDD = "Hdd"
    BIOS_SETUP = "BiosSetup"
    UTILITIES = "Utilities"
    DIAGS = "Diags"
    UEFI_SHELL = "UefiShell"
    UEFI_TARGET = "UefiTarget"
    SD_CARD = "SDCard"
    UEFI_HTTP = "UefiHttp"
    REMOTE_DRIVE = "RemoteDrive"
    UEFI_BOOT_NEXT = "UefiBootNext"


class BootEnabled(StrEnum):
    DISABLED = "Disabled"
    ONCE = "Once"
    CONTINUOUS = "Continuous"


class BootMode(StrEnum):
    LEGACY = "Legacy"
    UEFI = "UEFI"


IPMI_DEVICE: Mapping[BootTarget, int] = {
    BootTarget.NONE: 0x0,
    BootTarget.PXE: 0x1,
    BootTarget.HDD: 0x2,
    BootTarget.DIAGS: 0x4,
    BootTarget.CD: 0x5,
    BootTarget.BIOS_SETUP: 0x6,
    BootTarget.REMOTE_DRIVE: 0xB,
    BootTarget.FLOPPY: 0xF,
    BootTarget.USB: 0xF,  # primary removable media
}
"""Boot device selector (IPMI 2.0, table 28-14, boot flags, data 2 bits 5:2). IPMI has no number for the other targets."""

TARGET_OF_IPMI_DEVICE: Mapping[int, BootTarget] = {
    **{device: target for target, device in IPMI_DEVICE.items()},
    0x3: BootTarget.HDD,  # safe mode
    0x7: BootTarget.USB,  # remote removable media
    0x8: BootTarget.CD,  # remote
    0x9: BootTarget.REMOTE_DRIVE,  # primary remote media
}


class RestartCause(IntEnum):
    """IPMI 2.0, table 28-11, Get System Restart Cause."""

    UNKNOWN = 0x0
    CHASSIS_CONTROL = 0x1  # also a Redfish Reset, for which IPMI has no other value
    RESET_BUTTON = 0x2
    POWER_BUTTON = 0x3
    WATCHDOG = 0x4
    OEM = 0x5
    POLICY_ALWAYS_ON = 0x6
    POLICY_PREVIOUS = 0x7
    PEF_RESET = 0x8
    PEF_CYCLE = 0x9
    SOFT_RESET = 0xA  # the operating system booted again by itself
    RTC = 0xB


@dataclass(frozen=True, slots=True, kw_only=True)
class BootOverride:
    """The override that is set. `mode` None: the system's default. `uefi_path` and `boot_next` are for UefiTarget and
    UefiBootNext."""

    target: BootTarget = BootTarget.NONE
    enabled: BootEnabled = BootEnabled.DISABLED
    mode: BootMode | None = None
    uefi_path: str | None = None
    boot_next: str | None = None

    def check(self) -> None:
        """Raises SettingRefused where the target lacks the path or the boot option that it needs."""
        if self.enabled is BootEnabled.DISABLED:
            return
        if self.target is BootTarget.UEFI_TARGET and not self.uefi_path:
            raise SettingRefused("a boot from UefiTarget needs a UEFI target path")
        if self.target is BootTarget.UEFI_BOOT_NEXT and not self.boot_next:
            raise SettingRefused("a boot from UefiBootNext needs a boot option")
        if self.target is BootTarget.UEFI_BOOT_NEXT and self.enabled is BootEnabled.CONTINUOUS:
            raise SettingRefused("UefiBootNext is for one boot only")


NO_OVERRIDE = BootOverride()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastBoot:
    """What a boot used. `t` is in seconds on the rack's clock; `target` is NONE where no override was in force."""

    t: Instant
    target: BootTarget
    mode: BootMode | None
    cause: RestartCause


@dataclass(slots=True)
class Boot:
    """What one system's BMC knows about its boots."""

    override: BootOverride = NO_OVERRIDE
    last: LastBoot | None = None
    count: int = 0
    order: tuple[str, ...] = field(default=())

    def begin(self, now: Instant, cause: RestartCause) -> LastBoot:
        """Records that the system boots now, with the override; ends an override for `Once`."""
        override = self.override
        used = override.target if override.enabled is not BootEnabled.DISABLED else BootTarget.NONE
        self.last = LastBoot(t=now, target=used, mode=override.mode, cause=cause)
        self.count += 1
        if override.enabled is BootEnabled.ONCE:
            self.override = replace(override, enabled=BootEnabled.DISABLED, target=BootTarget.NONE)
        return self.last
