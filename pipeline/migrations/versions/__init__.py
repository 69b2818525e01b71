"""One file per revision, in the order of down_revision. A released revision is never edited."""
