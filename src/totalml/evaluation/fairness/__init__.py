"""Whether the model treats groups of people alike: how often it says a class, rightly and wrongly, and how surely."""
