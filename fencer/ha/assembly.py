"""Builds a Manager from a configuration: chooses the BMC client, the probes and the VM executor.

`fence-ha run` and the tests call it, in the main thread, before the manager starts. Timeouts are seconds.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from fencer import ChassisCheck
from fencer.ha.agent_device import FenceAgent
from fencer.ha.bmc import BmcClient, BmcLogins, FencedBmc
from fencer.ha.cloudstack_bmc import CloudStackBmc
from fencer.ha.config import Config, HostPart
from fencer.ha.config_devices import AgentDevice, PduDevice
from fencer.ha.config_file import ConfigError
from fencer.ha.event_lines import Sink
from fencer.ha.level_calls import client_key
from fencer.ha.lock_holder import process
from fencer.ha.manager import Manager
from fencer.ha.policy import PolicyName
from fencer.ha.probe_loop import ProbeLoop
from fencer.ha.record import OWN_BMC
from fencer.ha.restarts import Restarts
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.store import PASSING, Store, StoreError
from fencer.ha.vm_executors import ExecVmExecutor, HttpVmExecutor, VmExecutor
from fencer.ha.workers import Pools

TRY_AGAIN_S = 0.5


def open_store(path: Path, stopped: Sequence[int]) -> SqliteStore | None:
    """Opens the state file, or makes it. While it is locked, full or read-only it says so once on stderr and tries again.

    Raises StoreError if another try cannot help. None: the process was told to stop meanwhile.
    """
    said = None
    while not stopped:
        try:
            return SqliteStore(path)
        except StoreError as error:
            if error.trouble not in PASSING:
                raise
            if error.trouble is not said:
                print(f"fence-ha: {error}; it is tried again", file=sys.stderr, flush=True)
            said = error.trouble
        time.sleep(TRY_AGAIN_S)
    return None


def make_manager(config: Config, store: Store, sink: Sink, workers: Pools) -> Manager:
    bmcs = make_bmcs(config)
    restarts = Restarts(config, store, store, make_executor(config), workers)
    me = process(os.getpid())
    owner = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    prober = ProbeLoop(config.path.parent, config.part.scale, store.now)
    workers.close_too(prober.close)
    return Manager(
        config, store, store, bmcs, restarts, prober, workers, sink, owner,
        process=(os.getpid(), me.started if me else 0),
    )  # fmt: skip


def make_bmcs(config: Config) -> dict[str, BmcClient]:
    """Returns the clients of all devices of all hosts, by `client_key`. Hosts behind one device share its refused log-ins.

    Raises ConfigError.
    """
    protocols = {host.bmc.protocol for host in config.part.hosts}
    protocols_of_devices = {"pdu" if one.kind == "pdu" else one.protocol for one in config.part.devices if one.kind != "agent"}
    for protocol in sorted(protocols | protocols_of_devices):
        # Import the transports now: otherwise several worker threads would import them at the same time.
        import_module(f"fencer.transport.{protocol}")
    addresses = {host.bmc.device for host in config.part.hosts} | {
        device.device for device in config.part.devices if device.kind != "agent"
    }
    logins = {address: BmcLogins(window_s=config.policy.auth_poll) for address in addresses}
    clients: dict[str, BmcClient] = {}
    for host in config.part.hosts:
        clients[client_key(host.name, OWN_BMC)] = make_bmc(config, host, logins[host.bmc.device])
        for name in (name for level in config.levels(host) for name in level if name != OWN_BMC):
            clients[client_key(host.name, name)] = make_device(config, host, name, logins)
    return clients


def make_device(config: Config, host: HostPart, name: str, logins: Mapping[str, BmcLogins]) -> BmcClient:
    """Returns the client of one further device of a host. Raises ConfigError."""
    device, place = config.device(name), f"devices.{name}"
    if isinstance(device, AgentDevice):
        options = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in device.options.items()}
        if device.username:
            options.setdefault("username", device.username)
        command = device.command if "/" not in device.command else str(config.path.parent / device.command)
        return FenceAgent(
            command=command, options=options, password=config.secret(device, place),
            plugs=tuple(map(str, host.outlets.get(name, []))), cwd=config.path.parent,
        )  # fmt: skip
    if isinstance(device, PduDevice):
        return FencedBmc(target=config.pdu_target(device, host.outlets[name]), logins=logins[device.device])
    return FencedBmc(
        target=config.bmc_target(device, place), chassis_check=ChassisCheck(device.chassis_check), logins=logins[device.device]
    )


def make_pools(config: Config) -> Pools:
    threads, starts = config.part.workers, config.policy.vm_starts_at_once
    return Pools(bmc=threads, check=max(threads // 4, 1), vm=starts, stop=starts, agent=threads)


def make_bmc(config: Config, host: HostPart, logins: BmcLogins | None = None) -> BmcClient:
    """Returns the BMC client for the configured policy. `logins` is shared by all hosts of one BMC.

    Raises ConfigError if that client cannot use the host's BMC.
    """
    if config.policy.name is PolicyName.CLOUDSTACK:
        if host.bmc.protocol != "redfish":
            raise ConfigError([f"{config.path}: hosts.{host.name}.bmc: the policy cloudstack-4.22 is here with Redfish only"])
        url = host.bmc.url or f"https://{host.bmc.host}:{host.bmc.port or 443}"
        verify = (config.ca_file(host.bmc) or True) if host.bmc.verify_tls else False
        return CloudStackBmc(url=url.rstrip("/"), user=host.bmc.username, password=config.password(host), verify=verify)
    return FencedBmc(
        target=config.target(host),
        chassis_check=config.chassis_check(host),
        logins=logins or BmcLogins(window_s=config.policy.auth_poll),
    )


def make_executor(config: Config) -> VmExecutor | None:
    part = config.part.executor
    if part is None:
        return None
    if part.kind == "exec":
        return ExecVmExecutor(start_argv=part.start, stop_argv=part.stop, list_argv=part.list or (), cwd=Path(config.path).parent)
    token = os.environ.get(part.token_env) if part.token_env else None
    if part.token_env and token is None:
        raise ConfigError([f"{config.path}: executor.token_env: {part.token_env} is not set"])
    return HttpVmExecutor(agents={host.name: host.agent or "" for host in config.part.hosts}, token=token)
