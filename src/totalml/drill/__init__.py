"""A monitor put to the test: months of traffic of which the truth is known, with drifts of every kind in it."""
