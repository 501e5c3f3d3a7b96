"""The pieces of work of ../shared/bench/README.md, a module for each group of ids."""
