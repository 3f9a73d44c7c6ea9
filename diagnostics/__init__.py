"""Models that judge what rules cannot: peers, trends, remaining useful life."""
