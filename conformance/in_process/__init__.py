"""Fencers that are handed a transport and a clock: played on virtual time, without sockets, in processes that can be ended."""
