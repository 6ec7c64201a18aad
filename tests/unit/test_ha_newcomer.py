"""A chassis that has a PowerState for the first time, in the record of a host."""

from __future__ import annotations

import pytest

from fencer.ha import proof
from fencer.ha.record import HostRecord, OffRead, OffRun
from fencer.ha.states import HAState
from fencer.outcome import Power, Reading, Witness, WitnessState
from fencer.witnesses import WitnessMemory

SAYS_OFF = Witness(uri="/c/1", state=WitnessState.SAYS, word="Off")
READ = OffRead(at=0.0, request=1, word="Off", path="redfish", source="", chassis=None, identity=None)
RUN = OffRun(first=READ, last=READ, count=1, epoch=1)


@pytest.mark.parametrize(("spoken", "run"), [(frozenset(), None), (frozenset({"/c/1"}), RUN)])
def test_a_chassis_that_speaks_for_the_first_time_ends_the_series(spoken: frozenset[str], run: OffRun | None) -> None:
    record = HostRecord(host="h", state=HAState.FENCING, epoch=1, off_run=RUN, witnesses=WitnessMemory(spoken, spoken))
    reading = Reading(power=Power.OFF, word="Off", at=2.0, path="redfish", witnesses=(SAYS_OFF,))
    assert proof.remember(record, reading).off_run == run
