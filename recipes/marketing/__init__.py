"""What advertising does to the sales of pints, and how its budget is best spent, in a market of known truth."""

HOME = "IE"  # the country, ISO 3166-1
