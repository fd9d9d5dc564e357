"""Bulk SEDs: a master with one individual claim per person, as documents, as tables, and over a whole case.

Pure: no clock, no store, no network. Which element of which SED is a claim stands in ``<SED>.bulk.yaml``.
"""
