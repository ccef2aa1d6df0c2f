"""What people are told when a model breaks: kept until they know, told once, by the channels that they chose."""
