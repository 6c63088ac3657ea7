"""A local Telegram: strict Bot API server, chat page and sample newsroom."""
