"""Business Use Cases: process tables as data, and the pure engine that reads them.

Lives here: the model of a case, the tables, the loader, the engine, the static check, the diagram.
Must not live here: anything that reads the clock, makes identifiers, stores or sends; the contents
of SEDs (only their type, version and parent matter to a process).
"""
