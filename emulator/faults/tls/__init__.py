"""Seam connect: new TLS connections to the Redfish port. Connections that are open go on as they are."""
