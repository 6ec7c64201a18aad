"""The protocols of the fencer: Redfish and IPMI 2.0. `fencer.run` imports one of them when it is needed."""
