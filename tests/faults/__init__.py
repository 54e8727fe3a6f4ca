"""Workers killed, stopped and moved about on a real broker, and an oracle that recounts everything."""
