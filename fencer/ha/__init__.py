"""High availability of hosts: notice a dead one, prove that it is off, start its VMs elsewhere. See docs/ha.md."""
