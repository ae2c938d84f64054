"""Optuna's own conformance cases for samplers, of which two classes apply to `RidgeSampler`."""

from collections.abc import Callable

import optuna
import pytest
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import BasicSamplerTestCase, MultiObjectiveSamplerTestCase

from dse.samplers import RidgeSampler

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning"),
]
optuna.logging.set_verbosity(optuna.logging.WARNING)


class RidgeSamplerCase:
    """The sampler that Optuna's cases are run with."""

    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return RidgeSampler


class TestRidgeSamplerBasic(RidgeSamplerCase, BasicSamplerTestCase):
    pass


class TestRidgeSamplerMultiObjective(RidgeSamplerCase, MultiObjectiveSamplerTestCase):
    pass
