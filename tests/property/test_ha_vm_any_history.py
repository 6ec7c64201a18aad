"""Any history of one VM, three hosts, their agents and two managers: it never runs twice, and in the end it runs."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.effort import examples
from tests.ha_vm_history import AnyHistory

TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    max_examples=examples(300), stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)

pytestmark = pytest.mark.long
