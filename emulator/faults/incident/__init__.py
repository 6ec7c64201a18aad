"""Seam incident: what happens to a host or to its BMC by itself, once a client has been told the power."""
