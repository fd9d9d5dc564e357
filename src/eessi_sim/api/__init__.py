"""Interfaces for programs. ``manage`` is our own, for managing a node; the RINA-compatible one has its place here."""
