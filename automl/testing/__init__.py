"""Conformance suites, shipped for people who write plugins: derive one, and pytest shows whether yours holds."""
