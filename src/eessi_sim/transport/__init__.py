"""Moves bytes between endpoints and knows nothing of EESSI.

``base`` holds the protocols, ``http`` speaks HTTP with mutual TLS, ``inprocess`` joins nodes in one
event loop. No message is read and nothing is stored here.
"""
