"""Builds what describes fence_bmc: the resource-agent metadata (XML), the manual page and the table of parameters in
docs/fence_bmc.md. All come from the table in `fencer.parameters`.
"""

from __future__ import annotations

from collections.abc import Mapping

from fencer.given import AGENT
from fencer.parameters import PARAMETERS, WITHOUT_EFFECT, Parameter, ParameterKind

SHORTDESC = "Power fencing through a BMC, with evidence"
LONGDESC = (
    "fence_bmc powers hosts off and on through their BMC, over Redfish or IPMI 2.0, or by the outlets of a PDU over "
    "Redfish. It claims Off only for an unbroken series of readings of Off that no linked chassis and no other outlet "
    "contradicts; a host that is off already gets no power command; whatever a BMC answers to a power command, the power "
    "state decides."
)
ACTIONS: Mapping[str, str] = {
    "on": "Power the host on, and confirm it",
    "off": "Power the host off, and confirm it",
    "reboot": "Power the host off, confirm it, and power it on; a failed On is a warning",
    "status": "Read the power state: exit status 0 is on, 2 is off",
    "monitor": "Check that the device can be used, whatever the power state is",
    "diag": "Send a diagnostic interrupt (NMI)",
    "list": "Print each host behind the BMC: plug,host name; of a PDU each outlet: outlet,label",
    "list-status": "The same with the power state: plug,host name,ON",
    "metadata": "Print the resource-agent metadata",
    "manpage": "Print the manual page, in troff",
    "validate-all": "Check the parameters, and send nothing",
}
EXIT_CODES: Mapping[str, str] = {
    "0": "The action succeeded; status: the host is on",
    "2": "Only for status: the host is off",
    "1": "Every failure, errors of usage included; one line on standard error says the class of the cause and why",
}


def metadata(program: str = AGENT) -> str:
    """Returns the XML document, valid against the RelaxNG grammar of the fence-agents project.

    For the name of another agent it also has the parameters of that agent which have no effect here, so that tools that
    check names accept an existing configuration.
    """
    lines = [
        '<?xml version="1.0" ?>',
        f"<resource-agent name={quoted(program)} shortdesc={quoted(SHORTDESC)}>",
        f"<longdesc>{LONGDESC}</longdesc>",
        "<vendor-url>https://www.dmtf.org/standards/redfish</vendor-url>",
        "<parameters>",
    ]
    for parameter in PARAMETERS:
        if parameter.advertised or (program != AGENT and parameter.name not in ("plug", "port")):
            lines += _parameter(parameter, parameter.name)
            lines += [line for alias in parameter.aliases for line in _parameter(parameter, alias)]
    if program != AGENT:
        for name, why in WITHOUT_EFFECT.items():
            if name != "nodename":
                lines += _parameter(Parameter(name=name, text=f"No effect: {why}"), name)
    lines += ["</parameters>", "<actions>"]
    lines += [f"\t<action name={quoted(name)}{_automatic(name)} />" for name in ACTIONS]
    return "\n".join([*lines, "</actions>", "</resource-agent>"])


def quoted(text: str) -> str:
    """Returns an XML attribute value in quotation marks."""
    return '"' + _escaped(text).replace('"', "&quot;") + '"'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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
    return [*lines, f'\t\t<shortdesc lang="en">{_escaped(parameter.text)}</shortdesc>', "\t</parameter>"]


def parameter_table() -> str:
    """Returns the tables of docs/fence_bmc.md, in Markdown."""
    lines = ["| parameter | option | values (default) | what it does |", "| --- | --- | --- | --- |"]
    for parameter in PARAMETERS:
        names = "`" + "`, `".join((parameter.name, *parameter.aliases)) + "`" + (" +" if parameter.ours else "")
        option = "`" + parameter.getopt.replace(", ", "`, `").replace(f"=[{parameter.name}]", "") + "`"
        values = " / ".join(parameter.options) if parameter.options else str(parameter.kind)
        default = f" ({parameter.default})" if parameter.default is not None else ""
        lines.append(f"| {names} | {option} | {values}{default} | {parameter.text} |")
    lines += ["", "| accepted without effect | because |", "| --- | --- |"]
    lines += [f"| `{name}` | {why} |" for name, why in WITHOUT_EFFECT.items()]
    return "\n".join(lines)


def manpage(program: str = AGENT) -> str:
    """Returns the manual page in troff (man(7))."""
    lines = [
        f'.TH {program.upper()} 8 "" "fencelab" "Fence agents"',
        ".SH NAME",
        f"{program} \\- {_troff(SHORTDESC[0].lower() + SHORTDESC[1:])}",
        ".SH SYNOPSIS",
        f".B {program}",
        "[\\fIoptions\\fR]",
        ".br",
        f".B {program}",
        "< \\fIfile\\fR",
        ".SH DESCRIPTION",
        _troff(LONGDESC),
        ".PP",
        "Without options it reads name=value lines from standard input, as Pacemaker writes them.",
        ".SH ACTIONS",
    ]
    for name, text in ACTIONS.items():
        lines += [".TP", f".B {_troff(name)}", f"{_troff(text)}."]
    lines.append(".SH PARAMETERS")
    for parameter in PARAMETERS:
        default = f" Default: {parameter.default}." if parameter.default is not None else ""
        values = f" One of {', '.join(parameter.options)}." if parameter.options else ""
        head = f"\\fB{_troff(parameter.name)}\\fR ({_troff(parameter.getopt)})"
        lines += [".TP", head, _troff(f"{parameter.text}.{values}{default}")]
    lines.append(".SH EXIT STATUS")
    for code, text in EXIT_CODES.items():
        lines += [".TP", f".B {code}", f"{_troff(text)}."]
    return "\n".join(lines)


def _troff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
