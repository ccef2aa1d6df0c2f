"""What reviewers said, as data to learn from: labels of requests, snapshots, and a run that is held against another."""
