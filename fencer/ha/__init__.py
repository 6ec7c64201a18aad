"""High availability of hosts: detects a host that does not answer, proves that it is off, and starts its VMs on others.

The command `fence-ha` runs it. See docs/ha.md.
"""
