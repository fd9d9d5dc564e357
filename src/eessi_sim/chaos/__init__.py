"""The chaos harness: a network of real processes under load and under attack, and an audit of what is left.

``plan`` says as data what happens when, ``drive`` makes the load, ``act`` the disturbances, ``audit`` compares what
senders believe with what receivers hold. Nothing in the product knows that it is being disturbed.
"""
