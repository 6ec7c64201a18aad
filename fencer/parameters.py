"""The parameters of fence_bmc: one table for standard input, the command line and the metadata.

The metadata, the help text, the manual page and the table in docs/fence_bmc.md come from it too.

Rules
  1. Names are those of fence_redfish and fence_ipmilan if they have one; `ours` marks the others.
  2. Parameters of those agents that fence_bmc does not need are accepted without effect (`WITHOUT_EFFECT`), so that an
     existing configuration keeps working.
  3. A parameter that would change the target or the meaning of an action is never ignored: it is honoured, or
     `fencer.drop_in` refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ParameterKind(StrEnum):
    """The content types of the resource-agent metadata."""

    STRING = "string"
    SECOND = "second"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    SELECT = "select"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter. `aliases` are older names; `short` is the one-letter command line option.

    `options` are the words that it may have. A parameter that may have other values too (chassis_check) is no SELECT.
    """

    name: str
    text: str
    kind: ParameterKind = ParameterKind.STRING
    short: str = ""
    default: str | None = None
    options: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    required: bool = False
    advertised: bool = True
    ours: bool = False

    @property
    def long(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def getopt(self) -> str:
        value = "" if self.kind is ParameterKind.BOOLEAN else f"=[{self.name}]"
        return (f"-{self.short}, " if self.short else "") + self.long + value


PARAMETERS: tuple[Parameter, ...] = (
    Parameter(name="action", short="o", default="reboot", required=True, aliases=("option",),
              text="Fencing action: on, off, reboot, status, monitor, diag, list, list-status, validate-all, metadata, manpage"),
    Parameter(name="protocol", kind=ParameterKind.SELECT, options=("redfish", "ipmi", "redfish,ipmi", "pdu"), default="redfish",
              ours=True,
              text="How the BMC is spoken to. redfish,ipmi: IPMI confirms each Off of Redfish, and is the second way if Redfish"
                   " does not answer. pdu: the outlets of a PDU over Redfish are switched. lanplus=1, or a link named"
                   " fence_ipmilan, fence_idrac ..., means ipmi"),
    Parameter(name="ip", short="a", aliases=("ipaddr",),
              text="Address or host name of the BMC; host:port is accepted, and several addresses of one BMC: a,b"),
    Parameter(name="ipport", short="u", kind=ParameterKind.INTEGER, text="TCP/UDP port of the BMC; 443 or 623 by protocol"),
    Parameter(name="ipmi_port", kind=ParameterKind.INTEGER, default="623", ours=True,
              text="UDP port for IPMI with protocol=redfish,ipmi"),
    Parameter(name="port_as_ip", kind=ParameterKind.BOOLEAN, text="Take the address of the BMC from plug"),
    Parameter(name="username", short="l", aliases=("login",), text="Login name"),
    Parameter(name="password", short="p", aliases=("passwd",),
              text="Login password; prefer stdin, password_file or the variable FENCE_PASSWORD to the command line"),
    Parameter(name="password_script", short="S", aliases=("passwd_script",),
              text="Program that prints the password, with its arguments"),
    Parameter(name="password_file", ours=True, text="File whose first line is the password"),
    Parameter(name="systems_uri", aliases=("systems-uri",),
              text="The System to act on: URI, Id or UUID. Needed where a BMC has several; nothing is guessed"),
    # Not advertised: Pacemaker fills an advertised plug or port with its own name of the node.
    Parameter(name="plug", short="n", aliases=("port",), advertised=False,
              text="The same as systems_uri; with protocol=pdu as outlet"),
    Parameter(name="outlet", ours=True,
              text="With protocol=pdu: all outlets of the host, like A1,B1, by Id or URI. Each is switched, and the host is off"
                   " only when each says Off. plug=A1,B1 is the same"),
    Parameter(name="identity", ours=True, text="UUID or serial number that the machine must show, else it is refused"),
    Parameter(name="identity_check", kind=ParameterKind.SELECT, options=("require", "when-shown"), default="require", ours=True,
              text="With identity: must a read of this action have shown it (require), or may the BMC show none (when-shown)"),
    Parameter(name="redfish_uri", aliases=("redfish-uri",), default="/redfish/v1", text="Redfish's base URI"),
    Parameter(name="auth_method", kind=ParameterKind.SELECT, options=("auto", "basic", "session"), default="auto", ours=True,
              text="Redfish log-in; auto is Basic, or a session where the BMC refuses Basic"),
    Parameter(name="ssl", short="z", kind=ParameterKind.BOOLEAN, default="1",
              text="Use TLS; Redfish is never spoken without it, and ssl=0 is refused"),
    Parameter(name="ssl_insecure", kind=ParameterKind.BOOLEAN,
              text="Do not verify the BMC's certificate; ssl_ca_file has no effect then"),
    Parameter(name="ssl_secure", kind=ParameterKind.BOOLEAN, text="Verify the BMC's certificate (the default)"),
    Parameter(name="ssl_ca_file", ours=True, text="CA certificates to verify the BMC with, in PEM"),
    Parameter(name="ssl_fingerprint", ours=True,
              text="SHA-256 of the BMC's certificate in hexadecimal: no other certificate is accepted, and this one needs no CA"),
    Parameter(name="lanplus", short="P", kind=ParameterKind.BOOLEAN, text="Use IPMI 2.0 (RMCP+); the same as protocol=ipmi"),
    Parameter(name="auth", short="A", kind=ParameterKind.SELECT, options=("md5", "password", "none"), advertised=False,
              text="Authentication type of IPMI 1.5; RMCP+ is used instead"),
    Parameter(name="target", advertised=False,
              text="IPMI address behind the BMC (bridging); refused, except 0x20, the BMC itself"),
    Parameter(name="cipher", short="C", kind=ParameterKind.SELECT, options=("3", "17"),
              text="IPMI cipher suite; without it 17 is tried, then 3"),
    Parameter(name="hexadecimal_kg", text="K_g key of the BMC, in hexadecimal"),
    Parameter(name="privlvl", short="L", kind=ParameterKind.SELECT, options=("user", "operator", "administrator"),
              default="administrator", text="IPMI privilege level to ask for"),
    Parameter(name="method", short="m", kind=ParameterKind.SELECT, options=("onoff", "cycle"), default="onoff",
              text="Method of a reboot. cycle is carried out as onoff: no BMC can show that a cycle took place"),
    Parameter(name="chassis_check", options=("require", "own", "ignore"), default="require",
              ours=True,
              text="Which linked chassis can contradict a System that says Off: require is all; own leaves out chassis with"
                   " several systems; ignore asks none, and is unsafe on boards whose System is early. Or the URIs of chassis,"
                   " separated by commas: these and no others are asked, and each must have a PowerState"),
    Parameter(name="graceful", kind=ParameterKind.SECOND, default="0", ours=True,
              text="Seconds for a polite shutdown before the host is forced off; 0: none"),
    Parameter(name="stable_for", kind=ParameterKind.SECOND, default="1", ours=True,
              text="Seconds over which the host must be read as Off without a break; twice as long after trouble with the BMC."
                   " A BMC whose System, chassis and IPMI all say Off before the power is off needs more than it is early"),
    Parameter(name="power_timeout", kind=ParameterKind.SECOND, default="50",
              text="Seconds for off, on and reboot, from the start of the process (after delay) to its end; other actions take"
                   " no more than 15"),
    Parameter(name="deadline", kind=ParameterKind.SECOND, ours=True, text="The same for every action; overrides power_timeout"),
    Parameter(name="power_wait", kind=ParameterKind.SECOND, default="0", text="Seconds to wait after an accepted power command"),
    Parameter(name="login_timeout", kind=ParameterKind.SECOND, default="5", text="Seconds for one connection; 0: no own limit"),
    Parameter(name="shell_timeout", kind=ParameterKind.SECOND, default="10",
              text="Seconds for one request; never more than a third of power_timeout; 0: no own limit"),
    Parameter(name="stonith_status_sleep", kind=ParameterKind.SECOND, default="0.5", text="Longest pause between two reads"),
    Parameter(name="retry_on", kind=ParameterKind.INTEGER, text="How often an On is sent again; never more than twice"),
    Parameter(name="delay", kind=ParameterKind.SECOND, default="0",
              text="Seconds to wait before off and reboot; power_timeout begins after it"),
    Parameter(name="output", kind=ParameterKind.SELECT, options=("text", "json"), default="text", ours=True,
              text="json: standard output is one JSON object with the result and its evidence, and nothing else"),
    Parameter(name="evidence", ours=True, text="File to write the outcome and its evidence to, as JSON; - is stdout"),
    Parameter(name="quiet", short="q", kind=ParameterKind.BOOLEAN, text="Print nothing but errors"),
    Parameter(name="verbose", short="v", kind=ParameterKind.BOOLEAN,
              text="Log every step to stderr; numbers above 1 mean the same"),
    Parameter(name="verbose_level", kind=ParameterKind.INTEGER, text="The same as verbose; 0 is off"),
    Parameter(name="debug_file", short="D", aliases=("debug",), text="Log every step to this file"),
    Parameter(name="version", short="V", kind=ParameterKind.BOOLEAN, text="Print the version"),
    Parameter(name="help", short="h", kind=ParameterKind.BOOLEAN, text="Print this help"),
)  # fmt: skip

WITHOUT_EFFECT: dict[str, str] = {
    "nodename": "Pacemaker's name of the node",
    "ipmitool_path": "ipmitool is not used",
    "ipmitool_timeout": "ipmitool is not used; shell_timeout bounds a request",
    "use_sudo": "ipmitool is not used",
    "sudo": "ipmitool is not used",
    "sudo_path": "ipmitool is not used",
    "gnutlscli_path": "gnutls-cli is not used",
    "plug_separator": "a device has one host; several plugs are refused, except the outlets of a PDU",
    "separator": "list prints commas",
    "disable_timeout": "every action has an end",
    "debug_level": "debug_file has every step",
}
"""Parameters of fence_redfish or fence_ipmilan, or sent by Pacemaker, that have no effect here, and why."""

SWITCHES_WITHOUT_EFFECT = frozenset({"use_sudo", "sudo"})
"""Those that have no value on the command line."""

READ_ALL_THE_SAME = frozenset({"nodename", "plug_separator"})
"""Those of them that say what a plug means."""

BY_NAME: dict[str, Parameter] = {
    name.replace("-", "_"): parameter for parameter in PARAMETERS for name in (parameter.name, *parameter.aliases)
}
