"""Published tables and figures, reproduced with the model: ``python -m experiments`` runs all.

An experiment is a module named ``<author><year>_<what>``. Its docstring cites the source; it has

- ``MACHINE``: what the numbers were published for;
- ``PUBLISHED``: a DataFrame, NaN where a number of ours has no published counterpart;
- ``TOLERANCE``: the largest relative error, one number or one for each column, with its reason;
- ``run()``: the same rows and columns, computed with the model;
- ``figure(ours)``: the plot;
- ``MISSED`` (optional): (row, column) of each published number outside the tolerance, and why.

``python -m experiments.NAME`` writes NAME.csv and NAME.png beside the module.
"""
