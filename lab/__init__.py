"""The HA lab: emulated BMCs, three hosts, virtual machines and fence-ha. Not part of the wheel."""
