"""What every command of the control has: `--instance`, `--json`, completion of names, and one sentence for what went wrong."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from emulator.control.client import ControlClient

    _TextType = click.ParamType[str]
else:
    _TextType = click.ParamType

F = TypeVar("F", bound=Callable[..., object])
EXIT_USAGE: Final = 2
COMPLETION_S: Final = 1.0
"""Real seconds that the completion of a name may wait for the emulator."""

as_json = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
instance = click.option(
    "--instance",
    envvar="FENCELAB_INSTANCE",
    metavar="NAME|PID",
    help="Which emulator, where several run (or $FENCELAB_INSTANCE).",
)


def fail(sentence: str) -> NoReturn:
    click.echo(f"bmc-emulator: {sentence}", err=True)
    raise SystemExit(EXIT_USAGE)


@contextlib.contextmanager
def control(instance: str | None) -> Iterator[ControlClient]:
    """A client of the chosen emulator; what it refuses ends the command with one sentence and exit code 2."""
    from emulator.control.client import ControlClient, ControlError, NoInstance

    try:
        yield ControlClient.find(instance)
    except NoInstance as error:
        listed = "".join(f"\n  {each.name}  {each.pid}" for each in error.instances)
        fail(f"{error}{listed}")
    except ControlError as error:
        fail(str(error))
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None


def say(line: str) -> None:
    """One line, at once: whoever reads a pipe waits for it."""
    click.echo(line)
    sys.stdout.flush()


def say_json(data: object) -> None:
    say(json.dumps(data, ensure_ascii=False))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as their widest cell."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


class _Completed(_TextType):
    """A name that the running emulator knows."""

    def __init__(self, name: str, known: Callable[[ControlClient], Iterable[str]]) -> None:
        self.name = name
        self._known = known

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from emulator.control.client import ControlClient, ControlError

        try:
            client = ControlClient.find(ctx.params.get("instance"), timeout_s=COMPLETION_S)
            return [CompletionItem(name) for name in self._known(client) if name.startswith(incomplete)]
        except ControlError:
            return []


class _FaultType(_TextType):
    name = "type"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from emulator import fault_names

        return [CompletionItem(name) for name in fault_names() if name.startswith(incomplete)]


BMC: Final = _Completed("bmc", lambda client: [bmc["name"] for bmc in client.bmcs()])
FAULT_ID: Final = _Completed("id", lambda client: [fault["id"] for fault in client.faults()])
FAULT_TYPE: Final = _FaultType()


def bmc_lines(bmc: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """One row of `ls` per system, or per outlet of a PDU."""
    presence = "muted" if bmc["muted"] else bmc["presence"]
    for system in bmc["systems"]:
        says = {view: "null" if word is None else word for view, word in system["says"].items()}
        words = (
            next(iter(says.values()))
            if len(set(says.values())) == 1
            else " ".join(f"{view}={word}" for view, word in says.items())
        )
        yield (
            bmc["name"],
            bmc["profile"],
            presence,
            system["host"],
            system["rail"],
            system["os"] if bmc["kind"] == "bmc" else f"feeds {', '.join(system['feeds'])}" if system["feeds"] else "-",
            words,
            str(bmc["faults"]),
            bmc["redfish_url"],
            f"{bmc['ipmi_host']}:{bmc['ipmi_port']}" if bmc["ipmi_port"] else "-",
        )


HEAD: Final = ("BMC", "PROFILE", "PRESENCE", "HOST", "RAIL", "OS", "SAYS", "FAULTS", "REDFISH", "IPMI")
