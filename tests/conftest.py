"""What holds for every test: hypothesis looks at no clock; torch has one thread, and draws the same numbers in each."""

import os

import pytest
import torch
from hypothesis import HealthCheck, settings

# Trees of a whole file are large and take long to draw: neither says anything about the code.
_SUPPRESSED = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("archdsl", deadline=None, print_blob=True, suppress_health_check=_SUPPRESSED)
# The same examples in each run: what fails once fails again, here and elsewhere.
settings.register_profile("ci", settings.get_profile("archdsl"), derandomize=True, database=None)
settings.load_profile("ci" if "CI" in os.environ else "archdsl")

# Tests run side by side, so that more threads would only wait for each other.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def same_random_numbers() -> None:
    torch.default_generator.manual_seed(0)
