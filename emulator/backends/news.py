"""How a back end reports what became of a host that it holds."""

from __future__ import annotations

from collections.abc import Callable

from emulator.core.truth.host import News

ReportNews = Callable[[str, str, News, int | None], None]
"""`report(bmc, system, news, cause)`; `cause` is the `seq` of the event that ordered it, None where the host did it by itself.
Safe to call from any thread."""
