from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deploy.containers.compose_stack import ComposeStack
from tests.deploy.containers.engine import Engine, engine
from tests.deploy.containers.images import make_images
from tests.support.ports import free_port


@pytest.fixture(scope="session")
def containers() -> Iterator[Engine]:
    """An engine that has every image that deploy/ names."""
    with engine() as made:
        make_images(made)
        yield made


@pytest.fixture(scope="module")
def stack(containers: Engine) -> Iterator[ComposeStack]:
    """The production stack, brought up from nothing; its volumes go with it."""
    made = ComposeStack(containers, free_port(), free_port())
    try:
        made.up()
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "2")
