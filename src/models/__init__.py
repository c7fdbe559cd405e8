"""Models of purchasing, spend and leaving, and the rules that they have to beat."""
