"""The page on which people judge: HTML from the server, a little JavaScript that a lost network does not stop."""
