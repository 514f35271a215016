"""Pages about searches, trainings and sweeps: one HTML file that needs nothing else. Knows nothing of torch."""
