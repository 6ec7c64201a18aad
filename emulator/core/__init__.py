"""The machine model without sockets, threads, clocks or randomness: hosts, BMCs, power commands, faults, journal."""
