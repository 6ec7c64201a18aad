"""Redfish EventService: subscriptions, the event stream, deliveries."""
