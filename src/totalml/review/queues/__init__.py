"""Which samples of a pool are asked about: drawn by chance, with a probability that is known of each."""
