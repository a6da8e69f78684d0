"""Admission webhooks: which of them a write concerns, what they are asked, what they answer. `writes` and its callers use `hooks`."""
