from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.deploy.containers.compose_stack import ComposeStack
from tests.deploy.containers.engine import Engine, engine
from tests.deploy.containers.images import make_images, refusal
from tests.support.ports import free_port


@pytest.fixture(scope="session")
def containers() -> Iterator[Engine]:
    """An engine that has every image that deploy/ names.

    Where root's containers do not run at all, no tool is missing: the machine forbids it.
    """
    if os.geteuid() != 0:
        pytest.skip("only root's containers can have networks of their own here")
    with engine() as made:
        if reason := refusal(made):
            pytest.skip(reason)
        make_images(made)
        yield made


@pytest.fixture(scope="session")
def stack(containers: Engine) -> ComposeStack:
    """The production stack, brought up from nothing; it goes with the engine."""
    made = ComposeStack(containers, free_port(), free_port())
    made.up()
    return made
