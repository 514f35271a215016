"""One thread of torch for each test process, so that tests side by side do not wait for each other."""

import torch

torch.set_num_threads(1)
