"""Compute options, and executors by name."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from automl.engine.execution.auto import AutoExecutor
from automl.engine.execution.cores import check_cores
from automl.engine.execution.inline import InlineExecutor
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.process import ProcessExecutor
from automl.engine.execution.ray_first import RayFirst
from automl.engine.execution.registry import make_executor
from automl.engine.trial.contract import Device
from automl.engine.trial.cores import usable_cores
from automl.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "cls"),
    [("auto", AutoExecutor), ("inline", InlineExecutor), ("process", ProcessExecutor), ("ray", RayFirst)],
)
def test_executors_are_found_by_name(name: str, cls: type) -> None:
    executor = make_executor(ComputeOptions(executor=name))
    assert type(executor) is cls
    assert executor.name == name
    executor.close()  # a new executor has nothing to close


def test_an_unknown_executor_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ValidationError, match="did you mean 'process'"):
        ComputeOptions(executor="proces")


def test_an_address_without_ray_is_refused() -> None:
    with pytest.raises(ValidationError, match="Ray cluster"):
        ComputeOptions(executor="process", address="10.0.0.1:6379")


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"max_workers": 0}, "max_workers"),
        ({"cpus_per_trial": 0}, "cpus_per_trial"),
        ({"min_workers": -1}, "min_workers"),
        ({"idle_timeout": 0}, "not a duration"),
        ({"gpus_per_trial": -1}, "gpus_per_trial"),
        ({"gpus_per_trial": 1.5}, "a part of one, or a whole number"),
        ({"min_workers": 3, "max_workers": 2}, "min_workers is 3, which is more than max_workers, 2"),
        ({"executor": "process", "storage": "s3://bucket"}, "storage is for workers on other machines"),
        ({"workers": 1}, "workers"),
    ],
)
def test_impossible_and_unknown_options_are_refused(option: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ComputeOptions.model_validate(option)


@pytest.mark.parametrize(
    ("each", "gpus", "trials"), [(0.5, 2, 4), (1 / 3, 1, 3), (0.4, 2, 4), (1, 2, 2), (2, 5, 2), (2, 1, 0), (0.5, 0, 0)]
)
def test_gpus_are_shared_only_where_the_trial_fits_on_one(each: float, gpus: int, trials: int) -> None:
    assert ComputeOptions(gpus_per_trial=each).workers_on_gpus(gpus) == trials
    for cores in (1, 100):
        workers = ComputeOptions(gpus_per_trial=each).workers_on_node(cores, gpus, {Device.GPU})
        assert workers == {Device.GPU: min(trials, cores), Device.CPU: 0}


@pytest.mark.parametrize(
    ("cores", "gpus", "on_gpus", "on_cpus"), [(8, 2, 2, 6), (2, 2, 1, 1), (1, 2, 1, 0), (0, 2, 0, 0), (4, 0, 0, 4)]
)
def test_gpus_leave_a_core_to_trials_that_use_none(cores: int, gpus: int, on_gpus: int, on_cpus: int) -> None:
    options = ComputeOptions(gpus_per_trial=1)
    assert options.workers_on_node(cores, gpus, set(Device)) == {Device.GPU: on_gpus, Device.CPU: on_cpus}
    assert options.workers_on_node(cores, gpus, {Device.CPU}) == {Device.CPU: cores}


def test_there_are_as_many_workers_as_the_cores_feed() -> None:
    assert ComputeOptions().workers_on() == usable_cores()
    assert ComputeOptions(cpus_per_trial=2).workers_on(9) == 4
    assert ComputeOptions(cpus_per_trial=8).workers_on(2) == 1
    assert ComputeOptions(max_workers=7).workers_on(2) == 7
    assert ComputeOptions(min_workers=7).workers_on(2) == 7


# Cores that are not there

LOCAL = ["auto", "inline", "process", "ray"]


@pytest.mark.parametrize("executor", LOCAL)
def test_trials_that_need_more_cores_than_this_machine_has_are_refused(executor: str) -> None:
    with pytest.raises(ConfigError, match=rf"needs 512 cores, and this process may use {usable_cores()}\.") as refused:
        check_cores(ComputeOptions(executor=executor, cpus_per_trial=512))
    assert refused.value.key == "compute.cpus_per_trial"


@pytest.mark.parametrize("executor", LOCAL)
def test_all_cores_may_be_one_trials(executor: str) -> None:
    check_cores(ComputeOptions(executor=executor, cpus_per_trial=usable_cores()))


def test_a_cluster_may_have_more_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    check_cores(ComputeOptions(address="head:6379", cpus_per_trial=512))
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    check_cores(ComputeOptions(executor="ray", cpus_per_trial=512))
    with pytest.raises(ConfigError):
        check_cores(ComputeOptions(executor="process", cpus_per_trial=512))
