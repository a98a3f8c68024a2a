from __future__ import annotations

import pytest
from google.longrunning import operations_pb2

from chassis.context import Role
from chassis.errors import NotFound, PermissionDenied
from chassis.rpc.rules import ArtistRequired, MethodRule, check_caller, check_request, names_in, rule_of
from chassis.testing import caller_for, operator
from tonewright.stems.v1 import stems_pb2 as pb

PATH = "/tonewright.stems.v1.StemsService/"


@pytest.mark.parametrize(
    ("method", "role"),
    [("GetModel", Role.VIEWER), ("ListModels", Role.VIEWER), ("WatchSeparation", Role.VIEWER),
     ("CreateSeparation", Role.EDITOR), ("DeleteSeparation", Role.EDITOR), ("BatchCreateSeparations", Role.EDITOR)],
)  # fmt: skip
def test_the_name_of_a_method_decides_who_may_call_it(method: str, role: Role) -> None:
    assert rule_of(PATH + method, {}) == MethodRule(role=role)


@pytest.mark.parametrize("key", [PATH + "ListJobs", "StemsService/ListJobs", "ListJobs"])
def test_a_rule_is_found_by_path_service_and_method(key: str) -> None:
    assert rule_of(PATH + "ListJobs", {key: MethodRule(operator=True)}).operator


@pytest.mark.parametrize("path", ["/grpc.health.v1.Health/Check", "/grpc.reflection.v1alpha.ServerReflection/X"])
def test_health_and_reflection_are_public(path: str) -> None:
    assert rule_of(path, {}).scope == "public"


def test_roles_operators_and_artists_are_checked() -> None:
    write, jobs, platform = MethodRule(Role.EDITOR), MethodRule(operator=True), MethodRule(scope="platform")

    check_caller(write, caller_for(role=Role.EDITOR))
    check_caller(jobs, operator())
    check_caller(platform, caller_for("-", role=Role.VIEWER))
    with pytest.raises(PermissionDenied):
        check_caller(write, caller_for(role=Role.VIEWER))
    with pytest.raises(PermissionDenied):
        check_caller(jobs, caller_for())
    with pytest.raises(ArtistRequired):
        check_caller(write, caller_for("-"))


def test_names_are_found_at_any_depth() -> None:
    request = pb.BatchCreateSeparationsRequest(parent="artists/nova")
    request.requests.add(parent="artists/nova").separation.name = "artists/nova/separations/a"

    assert sorted(names_in(request)) == ["artists/nova", "artists/nova", "artists/nova/separations/a"]


def test_a_deep_name_of_another_artist_does_not_exist() -> None:
    request = pb.BatchCreateSeparationsRequest(parent="artists/nova")
    request.requests.add(parent="artists/nova").separation.asset = "artists/other/assets/a"

    with pytest.raises(NotFound, match="artists/other/assets/a"):
        check_request(MethodRule(), caller_for("nova"), request)


@pytest.mark.parametrize("name", ["artists/nova", "artists/nova/operations/x", "models/htdemucs", "", "artists/"])
def test_own_names_and_other_texts_pass(name: str) -> None:
    check_request(MethodRule(), caller_for("nova"), operations_pb2.GetOperationRequest(name=name))


@pytest.mark.parametrize("name", ["artists/other", "artists/novas/x", "artists/-/x"])
def test_names_of_others_do_not(name: str) -> None:
    with pytest.raises(NotFound):
        check_request(MethodRule(), caller_for("nova"), operations_pb2.GetOperationRequest(name=name))


def test_operators_name_any_artist_where_the_rule_allows_it() -> None:
    request = operations_pb2.GetOperationRequest(name="artists/other/operations/x")

    check_request(MethodRule(operator=True), operator(), request)
    with pytest.raises(NotFound):
        check_request(MethodRule(), operator(), request)
