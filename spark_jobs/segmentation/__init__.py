"""Clusters of customers: features, training, names, and which model is in force."""
