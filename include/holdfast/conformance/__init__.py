"""Kill each party of a real fault at each moment of its life, and look what is left."""
