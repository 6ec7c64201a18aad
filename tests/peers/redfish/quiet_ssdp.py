"""The protocol validator without its multicast: `python -m tests.peers.redfish.quiet_ssdp ARGS`, as `rf_protocol_validator ARGS`.

It would send SSDP M-SEARCH to the network that this machine is on. Our profiles leave SSDP off, so nobody would answer for us:
an empty answer gives the same result, assertion by assertion.
"""

from __future__ import annotations

import sys

from redfish_protocol_validator import console_scripts, utils


def nobody_answers(*_args: object, **_kwargs: object) -> dict[str, object]:
    return {}


if __name__ == "__main__":
    utils.discover_ssdp = nobody_answers
    sys.argv[0] = "rf_protocol_validator"
    console_scripts.main()
