"""IPMI over LAN of one BMC, without sockets: `responder.IpmiResponder` takes datagrams and returns the answers."""
