"""Tell Weights & Biases of a run, from what its folder holds, by a process beside it so that no fault hits the run."""
