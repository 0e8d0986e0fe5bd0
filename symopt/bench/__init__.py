"""Benchmarks: generated code beside its peers, interleaved, and what the machine allows."""
