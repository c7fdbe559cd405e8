"""What the loyalty programme does: campaigns and their effect, and what they cost."""
