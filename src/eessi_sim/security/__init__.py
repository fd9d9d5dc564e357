"""Keys, certificates and signatures: one XML signature core for business seals and for messages.

``indication``, ``policy`` and ``result`` hold the words, ``keys`` the key material and whom we trust,
``pki`` a small authority that issues certificates, ``xmldsig`` the signature itself, ``xades`` the seal
inside a SED. No XML is parsed here (see ``xmlsafe``), no address is ever fetched, no clock is read.
"""
