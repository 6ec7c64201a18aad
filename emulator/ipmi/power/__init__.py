"""IPMI commands that read or change the power of a host: chassis, boot options, watchdog."""
