"""A shop's days as rows of a table: what it sold, at which price, with which advertising, how near to the feast."""
