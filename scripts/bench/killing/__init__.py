"""Killing every part of a working stack, and comparing what comes out with an unkilled run."""
