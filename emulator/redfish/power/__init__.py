"""Redfish power control: systems and their Reset action, chassis, managers, tasks."""
