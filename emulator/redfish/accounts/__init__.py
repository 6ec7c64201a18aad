"""Redfish log-in: AccountService, SessionService, roles and credentials."""
