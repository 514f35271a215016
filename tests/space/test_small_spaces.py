"""Property 7 on the spaces in the repository that are small enough to be enumerated."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from archdsl.pipeline import load
from archdsl.space.count import Census
from tests.space.enumeration import genotypes, looks_uniform
from tests.space.samples import REPOSITORY

SMALL: Mapping[str, Mapping[str, str]] = {
    "spaces/fasterseg.arch": {"layers": "2", "w": "2"},
    "spaces/bisenet.arch": {},
    "spaces/nasbench201.arch": {"c": "2", "cells": "1"},
}


@pytest.mark.slow
@pytest.mark.parametrize("file", SMALL)
def test_the_count_is_that_of_an_enumeration_and_samples_are_uniform(file: str) -> None:
    program = load(str(REPOSITORY / file), overrides=SMALL[file]).program
    census = Census(program)
    every = list(genotypes(program))
    assert len(every) == len(set(every)) == census.count
    assert looks_uniform(census, set(every), each=20)
