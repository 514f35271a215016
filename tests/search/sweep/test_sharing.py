"""Processes that work on one sweep: they share its members, and what one of them leaves, another ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from archdsl.cost import figures
from archdsl.pipeline import NotLoaded, load
from archdsl.search.sweep.begin import begin
from archdsl.search.sweep.budget import Budget
from archdsl.search.sweep.errors import NotSwept
from archdsl.search.sweep.executors.processes import work_here
from archdsl.search.sweep.folder import State, SweepFolder
from archdsl.search.sweep.grid import Member
from archdsl.search.sweep.summary import Cost, Summary
from archdsl.search.sweep.worker import Worker
from tests.search.sweep.found import TEXT, outcome, write_text
from tests.search.sweep.quick_run import CROPS, STEPS
from tests.search.sweep.worker_process import QUICK_RUN, TICK_S
from tests.train.commands import ENVIRONMENT


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_text(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def begun(*options: str, over: str = "c=8,16,24", seeds: int = 2, root: str = "sweep") -> SweepFolder:
    return begin(Path(root), "net.arch", command="train", axes=[over], seeds=seeds, options=options)


def worker(folder: SweepFolder) -> Worker:
    return Worker(folder, program=QUICK_RUN, tick_s=TICK_S)


def started(folder: SweepFolder, workers: int = 1) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.search.sweep.worker_process", str(folder.root), str(workers)]
    return subprocess.Popen(command, env=ENVIRONMENT)


def wait_until(happened: Callable[[], bool]) -> None:
    for _ in range(6000):
        if happened():
            return
        time.sleep(0.01)
    raise TimeoutError("it has not happened in a minute")


def states(folder: SweepFolder) -> list[State]:
    return [folder.state(member) for member in folder.plan.members]


def workers_of(folder: SweepFolder, member: Member) -> list[str]:
    return [each.worker for each in folder.progress(member).attempts]


def steps_journalled(folder: SweepFolder, member: Member) -> list[int]:
    lines = (folder.home(member) / "train" / "journal.jsonl").read_text().splitlines()
    return [event["step"] for event in map(json.loads, lines) if event["event"] == "step"]


EVERY_STEP = list(range(1, STEPS + 1))


def test_two_sweeps_in_one_folder_share_the_work() -> None:
    alone = begun(root="alone")
    work_here(worker(alone), 1)

    folder = begun("--hold", "2")
    processes = [started(folder)]
    wait_until(lambda: states(folder).count(State.RUNNING) == 1)
    processes.append(started(folder))
    wait_until(lambda: states(folder).count(State.RUNNING) == 2)
    Path("go").touch()

    assert [process.wait() for process in processes] == [0, 0]
    assert states(folder) == [State.DONE] * 6
    attempts = [workers_of(folder, member) for member in folder.plan.members]
    assert all(len(each) == 1 for each in attempts)
    assert len({each[0] for each in attempts}) == 2
    assert all(steps_journalled(folder, member) == EVERY_STEP for member in folder.plan.members)
    assert outcome(folder) == outcome(alone)


def test_several_workers_find_what_one_finds() -> None:
    one, several = begun(root="one"), begun(root="several")
    work_here(worker(one), 1)
    work_here(worker(several), 3)

    assert len(outcome(one)) == 6
    assert outcome(one) == outcome(several)


# Processes that are killed ----------------------------------------------------------------------


def held(folder: SweepFolder) -> tuple[subprocess.Popen[bytes], Member, int]:
    """A worker whose command stands at its second step; the member, and the command's process."""
    (member,) = folder.plan.members
    process = started(folder)
    wait_until(lambda: folder.progress(member).steps.get("train") == 2)
    return process, member, int((folder.home(member) / "train" / "process").read_text())


def test_a_command_whose_worker_is_killed_runs_on_and_keeps_its_member() -> None:
    folder = begun("--hold", "2", over="c=8", seeds=1)
    killed, member, _ = held(folder)
    killed.kill()
    killed.wait()
    other = started(folder)
    time.sleep(3 * TICK_S)

    assert states(folder) == [State.RUNNING]
    assert len(workers_of(folder, member)) == 1
    Path("go").touch()
    assert other.wait() == 0
    assert states(folder) == [State.DONE]
    assert steps_journalled(folder, member) == EVERY_STEP
    assert len(set(workers_of(folder, member))) == 2


def test_a_member_goes_on_where_worker_and_command_were_killed() -> None:
    folder = begun("--hold", "2", over="c=8", seeds=1)
    killed, member, command = held(folder)
    killed.kill()
    killed.wait()
    os.kill(command, signal.SIGKILL)
    wait_until(lambda: states(folder) == [State.STOPPED])
    Path("go").touch()

    assert started(folder).wait() == 0
    assert states(folder) == [State.DONE]
    assert steps_journalled(folder, member) == EVERY_STEP
    assert len(set(workers_of(folder, member))) == 2


def test_a_command_that_is_killed_is_begun_again() -> None:
    folder = begun("--hold", "2", over="c=8", seeds=1)
    process, member, command = held(folder)
    os.kill(command, signal.SIGKILL)

    assert process.wait() == 0
    assert states(folder) == [State.DONE]
    assert [each.exit for each in folder.progress(member).attempts] == [-signal.SIGKILL, 0]
    assert steps_journalled(folder, member) == EVERY_STEP


def test_a_command_that_is_killed_each_time_at_once_has_failed() -> None:
    folder = begun("--die", over="c=8", seeds=1)
    work_here(worker(folder), 1)
    (member,) = folder.plan.members

    failure = folder.failure(member)
    assert failure is not None
    assert failure.message == "killed by SIGKILL before it got further"
    assert len(folder.progress(member).attempts) == 1


def test_a_sweep_that_is_asked_to_stop_stops_its_commands() -> None:
    folder = begun("--hold", "2", over="c=8,16", seeds=1)
    process = started(folder, 2)
    wait_until(lambda: states(folder) == [State.RUNNING] * 2)
    wait_until(lambda: all(folder.progress(member).steps.get("train") == 2 for member in folder.plan.members))
    process.send_signal(signal.SIGTERM)

    assert process.wait() == 128 + signal.SIGTERM
    assert states(folder) == [State.STOPPED] * 2
    for member in folder.plan.members:
        assert [each.exit for each in folder.progress(member).attempts] == [128 + signal.SIGTERM]
    Path("go").touch()
    work_here(worker(folder), 1)
    assert states(folder) == [State.DONE] * 2
    assert all(steps_journalled(folder, member) == EVERY_STEP for member in folder.plan.members)


# Failures, budgets, agreement -------------------------------------------------------------------


def test_a_member_that_fails_does_not_stop_others() -> None:
    folder = begun("--fail", "1", over="c=8,16")
    work_here(worker(folder), 1)

    assert states(folder) == [State.DONE, State.DONE, State.FAILED, State.FAILED]
    failures = [folder.failure(member) for member in folder.plan.members[2:]]
    assert [each and (each.step, each.exit, each.message) for each in failures] == [
        ("train", 1, "the loss is not a number any more")
    ] * 2

    work_here(worker(folder), 1)
    assert states(folder).count(State.FAILED) == 2, "without `--retry` it is not run again"
    Path("go").touch()
    folder.retry()
    work_here(worker(folder), 1)
    assert states(folder) == [State.DONE] * 4
    assert all(steps_journalled(folder, member) == EVERY_STEP for member in folder.plan.members)


def test_a_budget_is_for_the_whole_sweep() -> None:
    whole = begun(root="whole")
    work_here(worker(whole), 1)

    folder = begun()
    folder.limit(Budget.parse(f"{2 * STEPS} steps"))
    work_here(worker(folder), 1)
    assert states(folder) == [State.DONE] * 2 + [State.WAITING] * 4
    assert folder.spent.steps == 2 * STEPS
    work_here(worker(folder), 1)
    assert folder.spent.steps == 2 * STEPS, "nothing of it is left"

    folder.limit(Budget.parse("1_000 steps"))
    work_here(worker(folder), 1)
    assert outcome(folder) == outcome(whole)


def test_running_members_stop_at_a_checkpoint_when_the_budget_is_spent() -> None:
    folder = begun("--hold", "2", over="c=8,16", seeds=1)
    folder.limit(Budget.parse("2 steps"))
    work_here(worker(folder), 1)

    first, _ = folder.plan.members
    assert states(folder) == [State.STOPPED, State.WAITING]
    assert [each.exit for each in folder.progress(first).attempts] == [128 + signal.SIGTERM]
    assert steps_journalled(folder, first) == [1, 2]


@pytest.mark.parametrize("text", ["2", "two hours", "0h", "-1 steps", "2 weeks"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(NotSwept, match="write `2h`"):
        Budget.parse(text)


def test_who_joins_has_to_agree() -> None:
    begun()
    begun()
    for differing, call in {
        "`over`": lambda: begun(over="c=8"),
        "`seeds`": lambda: begun(seeds=3),
        "`options`": lambda: begun("--hold", "1"),
    }.items():
        with pytest.raises(NotSwept, match=f"another one: {differing} differ"):
            call()
    Path("net.arch").write_text(TEXT.replace("conv3x3", "sep_conv3x3"), encoding="utf-8")
    with pytest.raises(NotSwept, match="`text` differ"):
        begun()


@pytest.mark.parametrize("option", ["--out", "--seed=3", "--resume"])
def test_what_a_sweep_gives_itself_cannot_be_given(option: str) -> None:
    with pytest.raises(NotSwept, match="its own"):
        begun(option)


def test_every_point_is_begun_before_the_second_seed() -> None:
    names = [member.name for member in begun(over="c=8,16").plan.members]
    assert names == ["c=8,seed=0", "c=16,seed=0", "c=8,seed=1", "c=16,seed=1"]


# Searches ---------------------------------------------------------------------------------------


def searching(root: str, training: list[str] | None = None) -> SweepFolder:
    return begin(Path(root), "net.arch:net_s", command="search", axes=["lambda=1,2"], seeds=1, training=training)


def test_the_score_of_a_search_is_its_members() -> None:
    folder = searching("sweep")
    work_here(worker(folder), 1)

    assert [each.result.accuracy for each in Summary.of(folder).ended] == pytest.approx([0.011, 0.012])
    assert Summary.of(folder).ended[0].result.genotype == "members/lambda=1,seed=0/search/genotype.arch"


def test_what_was_found_costs_what_it_does_on_the_crops_of_its_search() -> None:
    folder = searching("sweep", [])
    work_here(worker(folder), 1)

    whole, cropped = (figures(load("net.arch", size=size).network()).macs for size in (None, CROPS))
    assert {each.result.macs for each in Summary.of(folder).ended} == {cropped}
    assert cropped < whole


def test_what_was_found_is_trained_and_that_score_counts() -> None:
    folder = searching("sweep", [])
    work_here(worker(folder), 1)

    for each in Summary.of(folder).ended:
        assert [step.step for step in folder.progress(each.member).attempts] == ["search", "train"]
        assert each.result.accuracy == pytest.approx(0.1)
        assert each.result.genotype == f"members/{each.member.name}/search/genotype.arch"
    assert states(folder) == [State.DONE] * 2


def test_a_value_that_the_search_cannot_have_is_refused_before_anything_runs() -> None:
    with pytest.raises(NotLoaded, match="out of its range"):
        begin(Path("sweep"), "net.arch", command="search", axes=["lambda=1,-1"], seeds=1)
    assert not Path("sweep").exists()


def test_nothing_is_trained_where_nothing_is_found() -> None:
    with pytest.raises(NotSwept, match="finds nothing"):
        begin(Path("sweep"), "net.arch", command="train", axes=[], seeds=1, training=[])


# What came out ----------------------------------------------------------------------------------


def test_points_and_the_front() -> None:
    folder = begun(over="c=8,16")
    work_here(worker(folder), 1)
    summary = Summary.of(folder)

    # The score of a quick run is a tenth of seed + 1, and a hundredth of the parameter.
    spread = summary.spread((("c", "8"),), lambda result: result.accuracy)
    assert spread is not None
    assert spread.mean == pytest.approx(0.23)
    assert spread.deviation == pytest.approx(0.1 / 2**0.5)
    assert [each.member.name for each in summary.front] == ["c=8,seed=1", "c=16,seed=1"]
    assert Cost.MACS.of(summary.front[0].result) < Cost.MACS.of(summary.front[1].result)
    with pytest.raises(NotSwept, match="no cost table"):
        Summary.of(folder, Cost.LATENCY)
