"""The conformance runner: plays the numbered list of good, bad and hostile messages, and says what came back.

The list itself is data (``schemas/conformance``); here are the stimuli, the benches they are played on (our own
network of processes, or one gateway at a URL), the runner and the reports.
"""
