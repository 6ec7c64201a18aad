"""A fence agent whose exit codes mean nothing."""

import sys

parameters = dict(line.split("=", 1) for line in sys.stdin.read().splitlines())
sys.exit(0 if parameters["action"] in ("monitor", "status", "off", "on", "reboot") else 1)
