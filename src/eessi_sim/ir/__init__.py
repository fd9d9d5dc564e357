"""The Institution Repository (IR): who takes part, for what it is competent, how it is reached, whose keys it has.

``model`` holds the values, ``repository`` answers questions about them, ``loader`` reads the definition files and
``snapshot`` shares one finished repository between processes. Fetching a repository from another node and
deciding what to do with its answers do not belong here.
"""
