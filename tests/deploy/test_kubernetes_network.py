"""Who is selected by what, and who may talk to whom."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from app.config import Settings
from tests.deploy.kubernetes import (
    OVERLAYS,
    Manifest,
    container,
    labels_of_pod,
    name_of,
    named,
    of_kind,
    selected,
    workloads,
)

every_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


def allowed_out(name: str, address: str, port: int) -> bool:
    """Whether the policies let the pods of a workload reach an address outside, by TCP."""
    return any(
        _opens(rule, address, port)
        for policy in of_kind("cpu", "NetworkPolicy")
        if name in selected(policy["spec"]["podSelector"], "cpu")
        for rule in policy["spec"].get("egress", ())
    )


def _opens(rule: Manifest, address: str, port: int) -> bool:
    ports = rule.get("ports")
    if ports is not None and port not in {each["port"] for each in ports}:
        return False
    if "to" not in rule:
        return True
    return any(_holds(peer["ipBlock"], address) for peer in rule["to"] if "ipBlock" in peer)


def _holds(block: Manifest, address: str) -> bool:
    return ip_address(address) in ip_network(block["cidr"]) and not any(
        ip_address(address) in ip_network(hole) for hole in block.get("except", ())
    )


@every_overlay
def test_a_selector_takes_the_pods_of_its_own_workload(overlay: str) -> None:
    for workload in workloads(overlay):
        if "selector" in workload["spec"]:
            assert selected(workload["spec"]["selector"], overlay) == {name_of(workload)}


@every_overlay
def test_a_service_leads_to_a_port_that_its_pods_have(overlay: str) -> None:
    for service in of_kind(overlay, "Service"):
        labels = service["spec"]["selector"]
        (name,) = selected({"matchLabels": labels}, overlay)
        assert name == name_of(service)
        (workload,) = (each for each in workloads(overlay) if name_of(each) == name)
        for port in service["spec"]["ports"]:
            names = {each["name"] for each in container(workload).get("ports", ())}
            assert port.get("targetPort") in names | {None}


@every_overlay
def test_a_disruption_budget_holds_for_somebody(overlay: str) -> None:
    budgets = of_kind(overlay, "PodDisruptionBudget")

    assert budgets
    for budget in budgets:
        assert selected(budget["spec"]["selector"], overlay) == {name_of(budget)}


def test_a_drained_node_takes_no_process_away_that_has_replicas() -> None:
    replicated = {
        name_of(each)
        for each in of_kind("cpu", "Deployment")
        if each["spec"].get("replicas", 2) > 1
    }

    assert {name_of(each) for each in of_kind("cpu", "PodDisruptionBudget")} == replicated


@every_overlay
def test_every_policy_holds_for_somebody_and_names_only_what_there_is(overlay: str) -> None:
    known = {label for each in workloads(overlay) for label in labels_of_pod(each).values()}
    for policy in of_kind(overlay, "NetworkPolicy"):
        selector = policy["spec"]["podSelector"]
        assert selected(selector, overlay), name_of(policy)
        for expression in selector.get("matchExpressions", ()):
            assert set(expression["values"]) <= known, name_of(policy)


@every_overlay
def test_nobody_talks_to_anybody_unless_it_is_said(overlay: str) -> None:
    policy = named(overlay, "NetworkPolicy", "nobody")["spec"]

    assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_only_the_api_is_reached_and_only_from_the_ingress_and_prometheus() -> None:
    reached = {
        name: rule["from"]
        for policy in of_kind("cpu", "NetworkPolicy")
        for rule in policy["spec"].get("ingress", ())
        for name in selected(policy["spec"]["podSelector"], "cpu")
    }

    assert list(reached) == ["api"]
    ((peer,),) = reached.values()
    (namespaces,) = peer["namespaceSelector"]["matchExpressions"]
    assert namespaces["values"] == ["ingress-nginx", "monitoring"]


@pytest.mark.parametrize(
    ("port", "who"),
    [
        (5432, "api recognition webhooks default dispatcher beat migrate"),
        (6379, "api recognition webhooks default dispatcher beat flower"),
        (26379, "api recognition webhooks default dispatcher beat flower"),
        (587, "api default"),
        (443, "api recognition default"),
    ],
    ids=["database", "broker", "sentinels", "mail", "storage"],
)
def test_a_server_is_reached_by_those_who_need_it(port: int, who: str) -> None:
    names = [name_of(each) for each in workloads("cpu")]

    assert {name for name in names if allowed_out(name, "10.1.2.3", port)} == set(who.split())


@pytest.mark.parametrize("name", ["dispatcher", "beat", "flower", "migrate"])
def test_who_needs_no_stranger_reaches_none(name: str) -> None:
    assert not any(allowed_out(name, "93.184.216.34", port) for port in (80, 443, 5432))


@pytest.mark.parametrize("address", ["10.0.0.9", "172.20.1.1", "192.168.7.7", "169.254.169.254"])
def test_webhooks_go_to_public_addresses_alone(address: str) -> None:
    assert allowed_out("webhooks", "93.184.216.34", 8443)
    assert not allowed_out("webhooks", address, 443)


@every_overlay
def test_the_outside_sees_the_api_and_nothing_of_the_inside(overlay: str) -> None:
    (ingress,) = of_kind(overlay, "Ingress")
    (rule,) = ingress["spec"]["rules"]
    paths = {(each["path"], each["pathType"]) for each in rule["http"]["paths"]}

    assert paths == {("/api/", "Prefix"), ("/health/", "Exact")}
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]


def test_a_body_may_be_as_large_as_an_upload_and_what_surrounds_it() -> None:
    (ingress,) = of_kind("cpu", "Ingress")
    limit = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
    mebibyte = 1024 * 1024
    upload = Settings.model_fields["max_upload_size"].default

    assert upload < int(limit.removesuffix("m")) * mebibyte <= upload + mebibyte
