"""The expression language of rules: text in, a tree checked for types and units out."""
