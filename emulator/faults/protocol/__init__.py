"""Seam protocol: a well-formed answer that the profile would not have given."""

from collections.abc import Iterable

from emulator.core.faults.fault import Fault
from emulator.faults.protocol.completion import Completion
from emulator.faults.protocol.reply import HttpReply
from emulator.faults.protocol.silence import Silence

__all__ = ["Completion", "HttpReply", "Silence", "answer_instead"]


def answer_instead(fired: Iterable[Fault]) -> Completion | Silence | None:
    """The first of the fired faults that changes what an IPMI client hears."""
    for each in fired:
        if isinstance(each, Completion | Silence):
            return each
    return None
