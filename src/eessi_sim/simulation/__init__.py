"""Builds and runs networks: the only place where concrete classes are chosen.

``credentials`` makes the keys, ``state`` keeps what separate processes share, ``assembly`` builds nodes,
``inprocess`` and ``processes`` run them, ``story`` plays scripted cases through ``control``.
"""
