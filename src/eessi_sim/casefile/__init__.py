"""What leaves a node about a case: an archive that proves itself, with persons hidden where wanted, and its times.

``contents`` reads the store, ``chain`` and ``manifest`` bind what was read together, ``export`` makes the archive and
``proof`` verifies it without any node. ``indicators`` says how long everything took.
"""
