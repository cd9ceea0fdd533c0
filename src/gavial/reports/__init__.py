"""Reports for people: charts and pages of what monitoring and comparisons found."""
