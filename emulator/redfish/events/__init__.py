"""Redfish EventService: subscriptions, event streams, delivery to subscribers."""
