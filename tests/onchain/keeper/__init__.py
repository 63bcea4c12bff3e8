"""The keeper: executes the cascade's specification by transactions, and writes down what happened.

It knows the contracts, the text of `defirisk.contagion.cascade` and the header of a prediction:
the order of things, and which prices the shock moves. Of the engine it knows nothing; that side is
`header`, `predicted`, `stage` and `trial`. `python -m tests.onchain.keeper` prints the table.
"""
