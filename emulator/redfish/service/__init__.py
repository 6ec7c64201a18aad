"""The Redfish service itself: the Flask application, the resource tree, requests, queries, errors."""
