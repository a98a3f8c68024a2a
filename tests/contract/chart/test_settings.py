"""One setting, one claim about what is rendered."""

from __future__ import annotations

import pytest

from services.launcher.settings import SERVICES
from tests.chart_house import COMPONENTS, component_of, container, named, names, pod, rendered
from tools.chart import pods
from tools.chart.links import pod_labels
from tools.chart.render import Manifest
from tools.pod_security import pod_specs

SCALED = ("gateway", "prompt", "datasets", "sessions", "stems")


def secret_users(manifests: tuple[Manifest, ...], secret: str) -> set[str]:
    """The components whose pods are given something of a Secret."""
    return {
        component_of(one)
        for one in manifests
        for spec in pod_specs(one)
        if f"'{secret}'" in str(spec)  # names of Secrets stand alone as values
    }


# ------------------------------------------------------------------------------------------------ secrets


def test_operator_who_brings_every_secret_gets_none_made() -> None:
    assert names(rendered("default-external"), "Secret") == set()


@pytest.mark.parametrize(
    ("secret", "users"),
    [
        ("s3-keys", {*COMPONENTS}),
        ("broker-url", {"datasets", "datasets-worker", "stems", "stems-worker"}),
        ("openai-key", {"prompt"}),
        ("replicate-token", {"datasets"}),
        ("api-keys", {"gateway", "test"}),
        ("postgres-urls", {*COMPONENTS, "migrations"} - {"gateway"}),
    ],
)
def test_secret_reaches_its_users_alone(secret: str, users: set[str]) -> None:
    assert secret_users(rendered("default-external"), secret) == users


def test_owner_of_the_database_reaches_the_migrations_alone() -> None:
    assert secret_users(rendered("everything-on"), "cluster-owner") == {"migrations"}


@pytest.mark.parametrize("service", SERVICES)
def test_private_key_is_mounted_in_the_pods_of_its_service_alone(service: str) -> None:
    holders = set()
    for component in COMPONENTS:
        for volume in pod(rendered("default-external"), component)["volumes"]:
            if volume.get("secret", {}).get("secretName") == f"key-{service}":
                holders.add(component)

    assert holders == {component for component in COMPONENTS if component.removesuffix("-worker") == service}


@pytest.mark.parametrize("service", SERVICES[1:])
def test_grpc_server_is_given_public_halves_only(service: str) -> None:
    (trusted,) = (one for one in pod(rendered("default-external"), service)["volumes"] if "projected" in one)

    given = {item["key"] for source in trusted["projected"]["sources"] for item in source["secret"]["items"]}

    assert given == {"tls.crt"}
    assert len(trusted["projected"]["sources"]) == len(SERVICES)


@pytest.mark.parametrize("component", [*COMPONENTS, "migrations"])
def test_registry_credentials_reach_every_pod(component: str) -> None:
    kind = "Job" if component == "migrations" else "Deployment"
    (spec,) = pod_specs(named(rendered("default-external"), kind, f"tonewright-{component}"))

    assert spec["imagePullSecrets"] == [{"name": "registry"}]


# ------------------------------------------------------------------------------------------------ scaling


@pytest.mark.parametrize("component", SCALED)
def test_autoscaled_deployment_has_no_replicas_of_its_own(component: str) -> None:
    found = named(rendered("minimal", f"{component}.autoscaling.enabled=true"), "Deployment", f"tonewright-{component}")

    assert "replicas" not in found["spec"]


@pytest.mark.parametrize("component", SCALED)
def test_autoscaler_scales_its_deployment_by_cpu(component: str) -> None:
    manifests = rendered("minimal", f"{component}.autoscaling.enabled=true")

    spec = named(manifests, "HorizontalPodAutoscaler", f"tonewright-{component}")["spec"]

    assert spec["scaleTargetRef"]["name"] == f"tonewright-{component}"
    assert spec["metrics"][0]["resource"]["name"] == "cpu"
    assert container(manifests, component)["resources"]["requests"]["cpu"]  # a share of nothing would be no share


def test_replicas_are_set_without_an_autoscaler() -> None:
    manifests = rendered("minimal", "gateway.replicas=5")

    assert named(manifests, "Deployment", "tonewright-gateway")["spec"]["replicas"] == 5


def test_budget_counts_what_must_stay_when_that_is_given() -> None:
    (gateway,) = (
        one
        for one in rendered("everything-on")
        if one["kind"] == "PodDisruptionBudget" and component_of(one) == "gateway"
    )

    assert gateway["spec"]["minAvailable"] == 2
    assert "maxUnavailable" not in gateway["spec"]


def test_budget_may_be_left_out() -> None:
    assert "tonewright-prompt" not in names(rendered("minimal", "prompt.pdb.enabled=false"), "PodDisruptionBudget")


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_deployment_has_a_budget(component: str) -> None:
    assert f"tonewright-{component}" in names(rendered("minimal"), "PodDisruptionBudget")


@pytest.mark.parametrize(
    ("version", "budget", "scaler"),
    [("1.20", "policy/v1beta1", "autoscaling/v2beta2"), ("1.34", "policy/v1", "autoscaling/v2")],
)
def test_builtin_kinds_take_the_best_version(version: str, budget: str, scaler: str) -> None:
    manifests = rendered("minimal", "gateway.autoscaling.enabled=true", version=version)

    assert named(manifests, "PodDisruptionBudget", "tonewright-gateway")["apiVersion"] == budget
    assert named(manifests, "HorizontalPodAutoscaler", "tonewright-gateway")["apiVersion"] == scaler


# ------------------------------------------------------------------------------------------------ stems


def test_stub_runs_on_cpu_from_the_image_without_torch() -> None:
    worker = container(rendered("minimal"), "stems-worker")

    assert "/stems-stub:" in worker["image"]
    assert "nvidia.com/gpu" not in str(worker["resources"])


def test_demucs_claims_one_card_for_each_worker() -> None:
    worker = container(rendered("gpu-pool"), "stems-worker")

    assert "/stems:" in worker["image"]
    assert worker["resources"]["limits"]["nvidia.com/gpu"] == 1


def test_api_of_stems_and_migrations_need_no_torch() -> None:
    manifests = rendered("gpu-pool")
    (migrations,) = pod_specs(named(manifests, "Job", "tonewright-migrations"))

    assert "/stems-stub:" in container(manifests, "stems")["image"]
    assert "/stems:" not in str(migrations)


def test_worker_is_told_its_memory_and_its_scratch_space() -> None:
    settings = (
        "stems.precision=float32",
        "stemsWorker.memoryBudgetBytes=4294967296",
        "stemsWorker.scratchSizeLimit=1.5Ti",
    )
    given = container(rendered("gpu-pool", *settings), "stems-worker")["env"]
    told = {one["name"].removeprefix("TONEWRIGHT_STEMS_"): one.get("value") for one in given}

    assert (told["PRECISION"], told["MEMORY_BUDGET_BYTES"]) == ("float32", str(4 << 30))
    assert told["WORK_LIMIT_BYTES"] == str(int(1.5 * (1 << 40)) * 19 // 20)


def test_api_of_stems_claims_no_card() -> None:
    assert "nvidia.com/gpu" not in str(pod(rendered("gpu-pool"), "stems"))


def test_demucs_on_cpu_claims_no_card() -> None:
    worker = container(rendered("gpu-pool", "stems.device=cpu"), "stems-worker")

    assert "nvidia.com/gpu" not in str(worker["resources"])


def test_name_of_the_card_is_a_value() -> None:
    manifests = rendered("gpu-pool", r"stemsWorker.gpu.resourceName=nvidia\.com/mig-1g\.10gb")

    assert container(manifests, "stems-worker")["resources"]["limits"]["nvidia.com/mig-1g.10gb"] == 1


def test_workers_go_to_the_pool() -> None:
    spec = pod(rendered("gpu-pool"), "stems-worker")

    assert spec["nodeSelector"] == {"pool": "gpu"}
    assert spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert (spec["runtimeClassName"], spec["priorityClassName"]) == ("nvidia", "gpu-jobs")


def test_worker_claims_a_device_by_its_class() -> None:
    manifests = rendered("gpu-claim")
    worker = pod(manifests, "stems-worker")

    claim = named(manifests, "ResourceClaimTemplate", worker["resourceClaims"][0]["resourceClaimTemplateName"])

    assert claim["spec"]["spec"]["devices"]["requests"][0]["exactly"]["deviceClassName"] == "gpu.nvidia.com"
    assert worker["containers"][0]["resources"]["claims"] == [{"name": "gpu"}]


def test_shared_memory_is_a_volume_of_its_size() -> None:
    volumes = {one["name"]: one for one in pod(rendered("gpu-pool"), "stems-worker")["volumes"]}

    assert volumes["shared-memory"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "2Gi"}


def test_running_separations_get_their_time() -> None:
    spec = pod(rendered("minimal", "stemsWorker.graceSeconds=1200"), "stems-worker")

    assert spec["terminationGracePeriodSeconds"] > 1200


# ------------------------------------------------------------------------------------------------ KEDA


def test_workers_are_jobs_or_a_deployment_never_both() -> None:
    assert "tonewright-stems-worker" not in names(rendered("keda"), "Deployment")
    assert "tonewright-stems-worker" not in names(rendered("keda"), "PodDisruptionBudget")
    assert names(rendered("minimal"), "ScaledJob") == set()


def test_job_of_keda_ends_when_nothing_is_left_to_do() -> None:
    spec = named(rendered("keda"), "ScaledJob", "tonewright-stems-worker")["spec"]["jobTargetRef"]["template"]["spec"]

    assert spec["containers"][0]["args"] == ["worker", "--exit-when-idle"]
    assert spec["restartPolicy"] == "Never"


def test_keda_never_ends_a_running_job() -> None:
    spec = named(rendered("keda"), "ScaledJob", "tonewright-stems-worker")["spec"]

    assert spec["rollout"] == {"strategy": "gradual"}
    assert "activeDeadlineSeconds" not in spec["jobTargetRef"]


def test_keda_counts_rows_and_not_messages() -> None:
    (trigger,) = named(rendered("keda"), "ScaledJob", "tonewright-stems-worker")["spec"]["triggers"]

    assert trigger["type"] == "metrics-api"
    assert trigger["metadata"]["url"] == "http://tonewright-stems.music.svc:9104/metrics"
    assert trigger["metadata"]["valueLocation"] == 'tonewright_stems_job_unfinished_items{noun="separation"}'


def test_keda_fills_each_worker_before_the_next() -> None:
    (trigger,) = named(rendered("keda"), "ScaledJob", "tonewright-stems-worker")["spec"]["triggers"]

    assert trigger["metadata"]["targetValue"] == "4"  # stemsWorker.slots of the scenario


# ------------------------------------------------------------------------------------------------ migrations


def test_migrations_run_before_the_new_pods() -> None:
    annotations = named(rendered("minimal"), "Job", "tonewright-migrations")["metadata"]["annotations"]

    assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert "before-hook-creation" in annotations["helm.sh/hook-delete-policy"].split(",")
    assert annotations["argocd.argoproj.io/hook"] == "PreSync"


def test_migrations_need_no_secret_that_the_chart_makes() -> None:
    made = names(rendered("minimal"), "Secret")

    assert made
    assert not [secret for secret in made if "migrations" in secret_users(rendered("minimal"), secret)]


def test_migrations_beside_their_own_database_are_no_hook() -> None:
    (job,) = (one for one in rendered("dev-backends") if one["kind"] == "Job")

    assert "helm.sh/hook" not in job["metadata"].get("annotations", {})


def test_migrations_run_again_for_another_image() -> None:
    (one,) = names(rendered("dev-backends"), "Job")
    (other,) = names(rendered("dev-backends", "image.tag=2.0.0"), "Job")

    assert one != other


# ------------------------------------------------------------------------------------------------ additions


def test_digest_wins_over_the_tag() -> None:
    (gateway,) = (
        one for one in rendered("everything-on") if one["kind"] == "Deployment" and component_of(one) == "gateway"
    )

    image = gateway["spec"]["template"]["spec"]["containers"][0]["image"]

    assert image.startswith("registry.example.com/tonewright/gateway@sha256:")


@pytest.mark.parametrize("component", [*COMPONENTS, "migrations", "test"])
def test_private_authority_is_trusted_in_every_pod(component: str) -> None:
    specs = [spec for one in rendered("everything-on") if component_of(one) == component for spec in pod_specs(one)]

    sources = [volume.get("configMap", {}).get("name") for spec in specs for volume in spec["volumes"]]

    assert "corporate-ca" in sources


@pytest.mark.parametrize("component", COMPONENTS)
def test_cloud_identity_is_on_every_account(component: str) -> None:
    accounts = {component_of(one): one for one in rendered("everything-on") if one["kind"] == "ServiceAccount"}

    assert "eks.amazonaws.com/role-arn" in accounts[component]["metadata"]["annotations"]


@pytest.mark.parametrize("component", COMPONENTS)
def test_common_labels_are_on_objects_and_pods(component: str) -> None:
    (found,) = (
        one for one in rendered("everything-on") if one["kind"] == "Deployment" and component_of(one) == component
    )

    for labels in (found["metadata"]["labels"], *pod_labels(found)):
        assert labels["team"] == "audio"


def test_additions_of_one_component_stay_with_it() -> None:
    pods = {component_of(one): spec for one in rendered("everything-on") for spec in pod_specs(one)}

    holders = {name for name, spec in pods.items() if "studio-fonts" in str(spec)}

    assert holders == {"gateway"}


def test_objects_take_the_release_into_their_names() -> None:
    assert "music-tonewright-gateway" in names(rendered("minimal", release="music"), "Deployment")


@pytest.mark.parametrize("scenario", ["dev-backends", "keda", "monitoring"])
def test_names_fit_for_the_longest_release(scenario: str) -> None:
    manifests = rendered(scenario, release="music-".ljust(53, "x"))

    assert [fault for one in manifests for fault in pods.faults(one)] == []


def test_selectors_never_change() -> None:
    """A Deployment's selector is for ever: it must not carry a version, a chart or a label of the operator's."""
    keys = {f"app.kubernetes.io/{word}" for word in ("name", "instance", "component")}

    for one in rendered("everything-on"):
        if one["kind"] in ("Deployment", "StatefulSet"):
            assert one["spec"]["selector"]["matchLabels"].keys() == keys
