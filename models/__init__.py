"""Texts in, arrays out: embedding, sentiment and themes. No columns, no dates, no Prefect."""
