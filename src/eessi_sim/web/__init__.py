"""Pages for people, rendered on the server; they work without scripts and ask nobody else for anything."""
