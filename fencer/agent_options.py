"""The command line of fence_bmc: options named as in fence-agents, and the help text.

`fencer.agent` imports this module only if there are options: Pacemaker gives none, and argparse costs time.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from fencer.given import AGENT, BadSettings, GivenValues
from fencer.metadata import LONGDESC
from fencer.parameters import PARAMETERS, READ_ALL_THE_SAME, SWITCHES_WITHOUT_EFFECT, WITHOUT_EFFECT, ParameterKind


class _AgentParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadSettings(message)


def parameters_from_argv(arguments: Sequence[str], program: str = AGENT) -> GivenValues:
    """Parses command line options. Raises BadSettings."""
    parser, names_by_option = _parser(program)
    known, rest = parser.parse_known_args(arguments)
    if rest:
        raise BadSettings(f"unknown option {rest[0].partition('=')[0]!r}")
    ignored = WITHOUT_EFFECT.keys() - READ_ALL_THE_SAME
    values = {name: value for name, value in vars(known).items() if value is not None and name not in ignored}
    spelled: dict[str, str] = {}
    for word in arguments:
        option = word.partition("=")[0] if word.startswith("--") else word[:2]
        if option in names_by_option:
            spelled[names_by_option[option]] = option
    return GivenValues(values, spelled, program)


def help_text(program: str = AGENT) -> str:
    return _parser(program)[0].format_help()


def _parser(program: str) -> tuple[_AgentParser, dict[str, str]]:
    """Returns the parser, and the parameter that each option sets."""
    parser = _AgentParser(prog=program, description=LONGDESC, add_help=False, allow_abbrev=False)
    names: dict[str, str] = {}
    for parameter in PARAMETERS:
        flags = [f"-{parameter.short}"] if parameter.short else []
        flags += [parameter.long, *("--" + alias.replace("_", "-") for alias in parameter.aliases)]
        flags = list(dict.fromkeys(flags))
        names |= dict.fromkeys(flags, parameter.name)
        text = parameter.text.replace("%", "%%")
        if parameter.kind is ParameterKind.BOOLEAN:
            parser.add_argument(*flags, dest=parameter.name, action="store_const", const="1", help=text)
        else:
            parser.add_argument(*flags, dest=parameter.name, metavar="VALUE", help=text)
    for name in sorted(WITHOUT_EFFECT):
        option = "--" + name.replace("_", "-")
        if name in SWITCHES_WITHOUT_EFFECT:
            parser.add_argument(option, dest=name, action="store_const", const="1", help=argparse.SUPPRESS)
        else:
            parser.add_argument(option, dest=name, help=argparse.SUPPRESS)
    parser.add_argument("--links", metavar="FOLDER", dest="links", help=argparse.SUPPRESS)
    return parser, names
