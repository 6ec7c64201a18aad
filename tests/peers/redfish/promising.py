"""A profile whose resets are answered with a task: 202, then the task runs for a moment."""

from __future__ import annotations

from pathlib import Path

TEMPLATE = """\
schema: profile/1
id: promising
title: Answers a reset with a task
extends: {extends}
replies:
  accepted: {{status: 202, task: {{start: New, end: {end}, after_s: {after_s}, message: {message}}}, evidence: [inferred]}}
messages:
  well_done: {{id: TaskEvent.1.0.TaskCompletedOK, text: It is done., severity: OK, evidence: [inferred]}}
  no_use: {{id: Base.1.22.OperationFailed, text: The host did not do it., severity: Warning, evidence: [inferred]}}
# sushy 5.14 hands the text of a Retry-After to time.sleep and falls over it; without one it looks every second.
tasks: {{retry_after_s: null}}
"""


def promising(directory: Path, *, extends: str = "dmtf-generic", end: str = "Completed", after_s: float = 3) -> str:
    """Writes the profile and returns its path. Tasks end `after_s` seconds after they were promised."""
    file = directory / "promising.yaml"
    message = "well_done" if end == "Completed" else "no_use"
    file.write_text(TEMPLATE.format(extends=extends, end=end, after_s=after_s, message=message), encoding="utf-8")
    return str(file)
