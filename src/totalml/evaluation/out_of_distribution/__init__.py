"""How little a picture looks like those that the model learnt from."""
