"""What is in the parts: the resources of hardware and settings, one family per file. `whole.inventory` puts them together."""
