"""The files of a bundle, the bag they lie in, and its signature."""
