"""Reservoir computing and recurrent networks with scikit-learn manners."""
