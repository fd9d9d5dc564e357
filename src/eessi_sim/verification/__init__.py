"""Judges what lies in files: documents, envelopes, messages, receipts and the folder of a whole run.

Works on octets, without network and without a running simulator, so that anybody can check the evidence of a
run. Who sent what in a live network is checked where it arrives, in ``access_point`` and ``institution``.
"""
