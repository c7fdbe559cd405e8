"""What each notebook says: the frames behind its figures, and the sentences that read them.

Every sentence is made from the numbers of the frame that its figure or table is drawn from.
"""
