"""One BMC: its accounts, log, sensors, network, watchdog and absences, and the views that front ends get of it."""
