"""IPMI sessions: RMCP packets, the RAKP and 1.5 handshakes, cipher suites, sequence numbers."""
