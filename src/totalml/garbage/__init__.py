"""What of a store nothing needs any more: `totalml store gc`."""
