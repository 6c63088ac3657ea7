"""The edge towards people: transport, pacing, sending, words and chat commands."""
