"""The record of a run: steps appended as they start and end, and what is derived from them."""
