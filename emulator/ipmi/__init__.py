"""IPMI over LAN of a BMC as bytes in, bytes out: `responder.IpmiResponder` is the door."""
