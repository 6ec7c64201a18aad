"""The event loop, TCP, TLS, HTTP and UDP: the only package that owns sockets."""
