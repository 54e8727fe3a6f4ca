"""Tests of the engine: private names of Faust and aiokafka, parts, and toy stages on a real broker."""
