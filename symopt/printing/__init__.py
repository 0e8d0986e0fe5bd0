"""The language of expressions: LaTeX and Unicode, both in the order an author wrote."""
