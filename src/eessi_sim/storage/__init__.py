"""Durable state of the nodes behind protocols.

``base`` holds records and protocols, ``registry`` opens a back end by its URL; the back ends are
chosen there and in the composition root only. No business rule and no network lives here.
"""
