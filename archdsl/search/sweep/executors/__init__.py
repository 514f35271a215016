"""Where the workers of a sweep run: here, on a Ray cluster, on SLURM. All of them work on one shared folder."""
