"""How nodes keep the same Institution Repository: system messages between central service node, access points, institutions.

SYN001 brings the repository, SYN002 asks for it, SYN005 asks which data models an access point holds (flows observed,
forms of SYN002 and SYN005 inferred). They end at the next node, which receipts them in its answer. SYN003 and SYN004,
which carry the data model itself, are refused: packages are given by ``--cdm``.
"""
