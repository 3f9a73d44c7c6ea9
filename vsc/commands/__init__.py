"""One module per group of the command line's verbs."""
