"""How the layers of the sentence encoder that the service ships were made: fewer inner units, taught by the original.

``make layers`` writes ``bot/library/encoder/layers.npz`` anew: some of the inner units of each layer of multilingual-e5-small are
left out (``prune.py``), and what is left is taught token by token what the original says (``distil.py``). No label is used. The
service needs none of this. Why, and what it costs: docs/decisions/0022-fewer-units.md.
"""
