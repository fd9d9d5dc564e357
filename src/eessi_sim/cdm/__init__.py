"""The Common Data Model: SEDs, their definitions, code lists, validation and JSON form.

What a SED contains stands in ``schemas/cdm`` and never in Python. No I/O lives here but reading definition
files, once per process; no cases, signatures, envelopes or messages.
"""
