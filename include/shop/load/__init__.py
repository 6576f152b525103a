"""The customers: an open-loop load that writes down what it saw."""
