"""Documents of any SED on demand: valid ones, unusual ones, and deliberately wrong ones with their reason.

All of it works from the schema, the rules and the stored sample of a definition, and from two files of data in
``schemas/samples``; no SED and no element of one is named in here. Randomness is passed in.
"""
