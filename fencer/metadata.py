"""Builds the resource-agent metadata (XML) of fence_bmc from the table of parameters, for `fence_bmc -o metadata`."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr as quoted

from fencer.parameters import PARAMETERS, Parameter, ParameterKind

LONGDESC = (
    "fence_bmc powers hosts off and on through their BMC, over Redfish or IPMI 2.0. It claims Off only for an "
    "unbroken series of readings of Off that no linked chassis contradicts; a host that is off already gets no power "
    "command; whatever a BMC answers to a power command, the power state decides."
)
ACTIONS = ("on", "off", "reboot", "status", "monitor", "diag", "list", "list-status", "metadata", "validate-all")


def metadata() -> str:
    """Returns the XML document, valid against the RelaxNG grammar of the fence-agents project."""
    lines = [
        '<?xml version="1.0" ?>',
        '<resource-agent name="fence_bmc" shortdesc="Power fencing through a BMC, with evidence">',
        f"<longdesc>{LONGDESC}</longdesc>",
        "<vendor-url>https://www.dmtf.org/standards/redfish</vendor-url>",
        "<parameters>",
    ]
    for parameter in PARAMETERS:
        if parameter.advertised:
            lines += _parameter(parameter, parameter.name)
            lines += [line for alias in parameter.aliases for line in _parameter(parameter, alias)]
    lines += ["</parameters>", "<actions>"]
    lines += [f"\t<action name={quoted(name)}{_automatic(name)} />" for name in ACTIONS]
    return "\n".join([*lines, "</actions>", "</resource-agent>"])


def _automatic(action: str) -> str:
    return ' automatic="0"' if action == "on" else ""


def _parameter(parameter: Parameter, name: str) -> list[str]:
    if name != parameter.name:
        relation = ' deprecated="1"'
    elif parameter.aliases:
        relation = f" obsoletes={quoted(parameter.aliases[0])}"
    else:
        relation = ""
    required = "1" if parameter.required and name == parameter.name else "0"
    default = f" default={quoted(parameter.default)}" if parameter.default is not None else ""
    lines = [
        f'\t<parameter name={quoted(name)} unique="0" required="{required}"{relation}>',
        f"\t\t<getopt mixed={quoted(parameter.getopt)} />",
    ]
    if parameter.kind is ParameterKind.SELECT:
        lines.append(f'\t\t<content type="select"{default}>')
        lines += [f"\t\t\t<option value={quoted(option)} />" for option in parameter.options]
        lines.append("\t\t</content>")
    else:
        lines.append(f'\t\t<content type="{parameter.kind}"{default} />')
    text = parameter.text.replace("&", "&amp;").replace("<", "&lt;")
    return [*lines, f'\t\t<shortdesc lang="en">{text}</shortdesc>', "\t</parameter>"]
