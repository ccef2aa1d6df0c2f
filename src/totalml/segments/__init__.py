"""Files of rows in the store that never change: how several become one, while others read, and none is lost."""
