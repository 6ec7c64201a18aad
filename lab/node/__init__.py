"""The programs that run on a host of the lab: the agent and the virtual machines."""
