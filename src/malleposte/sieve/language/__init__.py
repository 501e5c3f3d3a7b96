"""The words of the language: each module holds commands and tests of one kind or one extension, and
says what arguments they take and what they make of them. `words` puts them together.
"""
