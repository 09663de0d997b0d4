"""A customer erased everywhere, and kept out: who is forgotten, whose rows are theirs, and what is left of them."""
