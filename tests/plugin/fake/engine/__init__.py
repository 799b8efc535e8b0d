"""A pretended engine: speaks the protocol and misbehaves on request."""
