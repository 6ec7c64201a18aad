"""The Redfish service of the emulated BMCs: JSON from the state of the core, and actions as commands to the core."""
