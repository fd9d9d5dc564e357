"""How fast this machine exchanges SEDs: end to end, step by step, and beside what no program can avoid.

``endtoend`` sends real SEDs through real nodes, ``steps`` repeats what the nodes do with what one such SED left
behind, ``floor`` measures the bare operations of the libraries below. Nothing here changes what is measured, and
nothing here prints.
"""
