"""What the columns of an unknown log are, and the dataset file that follows from it."""
