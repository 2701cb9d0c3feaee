"""The joint posterior of a transient's light curve, in one pass of a network, for many objects at once."""
