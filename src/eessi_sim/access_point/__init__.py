"""The central router: an ebMS3 Part 2 intermediary that checks, stores and forwards, never re-signs.

``Intermediary`` takes messages in, ``pipeline`` and ``steps`` decide whether a document may go on, ``routing``
says where to, ``AccessPoint`` runs the queues.
"""
