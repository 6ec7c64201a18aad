"""Run as a program: `call.py MODULE:FUNCTION on|off`, facts of the BMC as JSON on standard input.

The function, of conformance/fencers, is asked for the status first, then told to switch. Prints `read=on` or `read=off`.
"""

from __future__ import annotations

import importlib
import json
import sys


def main() -> None:
    place, order = sys.argv[1:]
    module, _, function = place.partition(":")
    perform = getattr(importlib.import_module(f"conformance.fencers.{module}"), function)
    bmc = json.load(sys.stdin)
    bmc["insecure"] = bool(bmc["insecure"])
    print(f"read={perform('status', bmc)}", flush=True)
    claim = perform(order, bmc)
    if claim is False:
        sys.exit("it claims that it failed")


if __name__ == "__main__":
    main()
