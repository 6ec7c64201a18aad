"""Random tests have no time limit for one example: a busy machine is no defect (claims about time live in tests/bench)."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
