"""Themes with permanent ids: found, matched to the registry, named, curated; begin with `night.find_themes`."""
