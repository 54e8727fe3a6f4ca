"""The model language: reading, checks, documents, the shipped models."""
