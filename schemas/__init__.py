"""What travels through Kafka: contracts, their bytes, their topics, and why an input is refused. See README.md."""
