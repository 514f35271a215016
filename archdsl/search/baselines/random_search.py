"""Random search: genotypes drawn one by one, each as likely as any other (Li and Talwalkar, UAI 2019)."""

from __future__ import annotations

from itertools import count

from archdsl.search.baselines.members import Members
from archdsl.search.baselines.proposals import Proposals, random_of


def random_search(members: Members, seed: int) -> Proposals:
    """AutoRTNet's table 3 and setting (a) of GAS's have ten without bounds, setting (b) ten of about one latency."""
    for number in count():
        yield members.sample(random_of(seed, number))
