"""The oracle: an independent program that says what the model must answer.

``walk`` follows one mapping literally, ``brute`` tries every mapping of a small layer, ``cases``
draws random layers and machines. It shares no code with dse/mapping and dse/cost.
"""
