"""Redfish CertificateService, signing requests and the certificate of the HTTPS port."""
