"""Tagwire: a Telegram news alert service. The architecture stands in docs/architecture.md."""
