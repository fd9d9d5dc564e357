"""The I/O shell round ``as4``, used by institutions and by the access point.

``Station`` holds what a node works with, ``Inbox`` takes requests in, ``Outbox`` sends what is queued and
``Worker`` is the one supervised loop behind both queues. Nothing here knows a SED or a case.
"""
