"""Workloads of our own: each sends what a checker can judge, in a schema that nobody else uses."""
