"""The accidents that break signatures, each with a way to undo it, and the search for those that happened.

``octets`` holds those that befall any content, ``formatting`` and ``naming`` and ``structure`` those of XML,
``forms`` other ways to make octets of the same document, ``gzip`` those of compressed parts; ``table`` lists all
of them in the order in which they are tried, and ``search`` tries them.
"""
