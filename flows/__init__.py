"""Paths, dates, schedules and the command line: load, call the steps, publish. No rule about data."""
