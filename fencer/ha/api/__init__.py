"""The HTTP API of a manager: state of the hosts, an operator's requests, metrics and health, for one loopback address.

`fence-ha run` starts it. It runs in threads of its own with stores of its own and never waits for the manager's loop, and the
loop never waits for it.
"""
