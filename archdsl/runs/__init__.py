"""What the folder of a run holds, read through schemas: its record, its journal."""
