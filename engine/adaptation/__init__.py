"""Bidirectional learning on the windows of one unlabelled scene: arrays only, no files, no GDAL.

``views`` holds the windows, ``settings`` how they are learnt from, ``objectives`` what gradient steps minimise,
``student`` the steps, ``statistics`` what is done without gradients, ``proxy`` the judge that needs no labels,
``guards`` what no candidate may do, ``search`` the order in which it all is tried, and ``verdict`` the words for it.
"""
