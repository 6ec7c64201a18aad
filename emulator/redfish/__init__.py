"""Redfish as a BMC speaks it, over the state of the core."""
