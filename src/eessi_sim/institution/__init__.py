"""One institution: its case files, its signatures, its answers.

``InstitutionNode`` has one method per use case; ``sending`` and ``receiving`` bring documents out of and into
cases; ``terminal`` is the AS4 entrance; ``answering`` does what the institution's file says it does by itself.
"""
