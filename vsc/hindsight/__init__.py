"""What rules would have been worth: their scores, who says so, what a shift would have seen of it, and its page."""
