"""IPMI commands that configure and describe a BMC: users, channels, LAN, sensors, event log, FRU, DCMI."""
