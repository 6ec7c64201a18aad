"""All thresholds, waiting times and ratios of the HA rules.

`load_config` creates the Policy; the rules and the manager read it.

Rules
  1. All times are seconds. `DURATIONS` lists the fields that `scaled` changes.
  2. If CloudStack 4.22 has the same setting, the default is CloudStack's (KVMHAConfig.java:24-54).
  3. A policy with which the rules cannot work (for example a lease shorter than a request) is refused when it is created.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum


class Reenable(StrEnum):
    MANUAL = "manual"
    AUTO = "auto"


class PolicyName(StrEnum):
    REFERENCE = "reference"
    CLOUDSTACK = "cloudstack-4.22"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings; `sample.yaml` explains each. Raises ValueError for settings that contradict one another."""

    name: PolicyName = PolicyName.REFERENCE
    poll: float = 4.0
    health_timeout: float = 10.0
    request_timeout: float = 10.0
    clock_margin: float = 2.0
    lease: float = 30.0
    lease_renew: float = 10.0
    status_poll: float = 4.0
    unreachable_poll: float = 15.0
    auth_poll: float = 300.0
    stable_for: float = 4.0
    power_off_timeout: float = 60.0
    backoff_first: float = 4.0
    backoff_cap: float = 60.0
    backoff_jitter: float = 0.2
    max_attempts: int = 10
    level_attempts: int = 2
    level_timeout: float = 60.0
    activity_interval: float = 60.0
    activity_timeout: float = 60.0
    activity_samples: int = 10
    activity_ratio: float = 0.7
    degraded_period: float = 300.0
    recovery_attempts: int = 1
    recovery_boot_wait: float = 300.0
    recovered_wait: float = 600.0
    healthy_checks: int = 3
    fast_path: bool = True
    start_quiet: float = 60.0
    brake_ratio: float = 0.5
    brake_min: int = 3
    brake_window: float = 60.0
    settle: float = 60.0
    min_healthy: float = 0.5
    max_fenced: float = 0.25
    max_fenced_window: float = 86400.0
    device_check_first: float = 60.0
    device_check: float = 300.0
    fences_at_once: int = 25
    power_offs_per_second: float = 5.0
    alert_digest: float = 900.0
    vm_starts_at_once: int = 10
    vm_start_timeout: float = 60.0
    vm_retry_first: float = 60.0
    vm_retry_cap: float = 600.0
    vm_starts_per_host: int = 4
    vm_restart_limit: int = 3
    vm_restart_window: float = 3600.0
    manual_fence: bool = True
    reenable: Reenable = Reenable.MANUAL
    strict_event_names: bool = False

    def __post_init__(self) -> None:
        negative = [f.name for f in fields(self) if f.name in POSITIVE and getattr(self, f.name) <= 0]
        if negative:
            raise ValueError(f"{', '.join(negative)} must be greater than 0")
        if self.lease <= self.request_timeout + self.clock_margin:
            raise ValueError("lease must be longer than request_timeout + clock_margin, or no BMC request may ever start")
        if self.lease_renew >= self.lease - self.request_timeout - self.clock_margin:
            raise ValueError("lease_renew must leave room for a request: less than lease - request_timeout - clock_margin")
        if not 0 <= self.backoff_jitter < 1:
            raise ValueError("backoff_jitter must be at least 0 and less than 1")
        if self.backoff_cap < self.backoff_first:
            raise ValueError("backoff_cap must not be less than backoff_first")
        if not 0 <= self.activity_ratio < 1 or not 0 < self.brake_ratio <= 1:
            raise ValueError("activity_ratio must be in [0, 1) and brake_ratio in (0, 1]")
        if not 0 <= self.min_healthy <= 1 or not 0 < self.max_fenced <= 1:
            raise ValueError("min_healthy must be in [0, 1] and max_fenced in (0, 1]")
        if self.device_check < 0:
            raise ValueError("device_check must not be negative; 0 switches it off")
        if self.recovery_attempts < 0 or self.start_quiet < 0 or self.clock_margin < 0:
            raise ValueError("recovery_attempts, start_quiet and clock_margin must not be negative")

    @property
    def health_counts_for(self) -> float:
        """Seconds for which a passed health check says that a host is healthy, from its start."""
        return max(self.lease, 2 * self.poll + self.health_timeout)

    def scaled(self, scale: float) -> Policy:
        """Returns this policy with all durations multiplied by `scale`: 0.05 makes 3 s of a minute. For demonstrations."""
        if scale <= 0:
            raise ValueError("scale must be greater than 0")
        changed = {name: getattr(self, name) * scale for name in DURATIONS}
        return replace(self, **changed, power_offs_per_second=self.power_offs_per_second / scale)


DURATIONS = (
    "poll", "health_timeout", "request_timeout", "clock_margin", "lease", "lease_renew", "status_poll", "unreachable_poll",
    "auth_poll", "stable_for", "power_off_timeout", "backoff_first", "backoff_cap", "level_timeout", "activity_interval",
    "activity_timeout", "degraded_period", "recovery_boot_wait", "recovered_wait", "start_quiet", "brake_window", "alert_digest",
    "settle", "max_fenced_window", "device_check_first", "device_check",
    "vm_start_timeout", "vm_retry_first", "vm_retry_cap", "vm_restart_window",
)  # fmt: skip

POSITIVE = frozenset(DURATIONS) - {"start_quiet", "clock_margin", "device_check"} | {
    "max_attempts", "level_attempts", "activity_samples", "healthy_checks", "brake_min", "fences_at_once",
    "power_offs_per_second", "vm_starts_at_once", "vm_starts_per_host", "vm_restart_limit",
}  # fmt: skip
