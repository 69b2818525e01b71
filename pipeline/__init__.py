"""Steps on tables of feedback. No Prefect, no clock, no network."""
