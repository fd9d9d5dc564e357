"""What a run leaves behind: one table of everything that was exchanged, and the evidence for it.

``collect`` asks the nodes, ``model`` holds the answers, ``json_form``, ``junit`` and ``page`` write them down, ``diagram``
draws a case, ``evidence`` lays out the messages themselves, ``folder`` puts all of it on the disk. Nothing here
decides what happens in a network.
"""
