"""Serial over LAN: the console of a host over IPMI."""
