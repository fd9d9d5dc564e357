"""ebMS3 and AS4 without input or output: bytes and values in, bytes and values out.

The way in is ``msh``: pack and unpack whole messages. No sockets, files, clocks or random numbers live here;
times, ids and tokens are arguments.
"""
