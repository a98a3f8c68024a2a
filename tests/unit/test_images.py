"""The images' Dockerfile, and what the tools that build them decide, without building any."""

from __future__ import annotations

import ast
import re
import runpy
import tomllib
from pathlib import Path

import pytest

from tools import cluster, image_engines, images
from tools.image_engines import Buildah, BuildFailed, Docker, megabytes
from tools.images import Built
from tools.pip_settings import PipSettings, parse

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy/docker/Dockerfile"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TARGETS = [*images.SERVICES, images.TORCH]


def stages(file: Path) -> dict[str, str]:
    """Name of each stage to its text, without comments."""
    text = re.sub(r"^\s*#.*\n", "", file.read_text("utf-8"), flags=re.MULTILINE)
    return {stage.split()[3]: stage for stage in re.split(r"^(?=FROM )", text, flags=re.MULTILINE)[1:]}


def lineage(file: Path, name: str) -> str:
    """A stage and those it is based on, or copies from, in one text."""
    found, todo = {}, [name]
    while todo:
        stage = todo.pop()
        if stage in found or stage not in stages(file):
            continue
        found[stage] = stages(file)[stage]
        todo += [found[stage].split()[1], *re.findall(r"--from=([\w-]+)", found[stage])]
    return "\n".join(found.values())


def bases(file: Path, name: str) -> list[str]:
    """A stage and those it is based on."""
    found = [name]
    while (base := stages(file)[found[-1]].split()[1]) in stages(file):
        found.append(base)
    return found


def requirements(*extras: str) -> list[str]:
    made = runpy.run_path(str(ROOT / "deploy/docker/requirements.py"))["requirements"](PROJECT, extras)
    assert isinstance(made, list)
    return made


def test_each_service_has_an_image() -> None:
    services = {path.parent.name for path in ROOT.glob("services/*/settings.py")} - {"launcher", "standin"}

    assert {*images.SERVICES.values()} == services
    assert set(TARGETS) <= stages(DOCKERFILE).keys()


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_its_service_as_an_unprivileged_user(target: str) -> None:
    text = "\n".join(stages(DOCKERFILE)[name] for name in bases(DOCKERFILE, target))

    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]
    assert f'ENTRYPOINT ["python", "-m", "services.{images.SERVICES.get(target, "stems")}"]' in text
    assert stages(DOCKERFILE)[bases(DOCKERFILE, target)[-1]].startswith("FROM scratch")


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_says_what_it_is(target: str) -> None:
    text = lineage(DOCKERFILE, target)

    labels = set(re.findall(r"org\.opencontainers\.image\.(\w+)=", text))

    assert labels >= {"title", "version", "revision", "licenses", "source", "vendor"}


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_runs_in_the_stages_of_an_image(target: str) -> None:
    text = "\n".join(stages(DOCKERFILE)[name] for name in bases(DOCKERFILE, target))

    assert "RUN" not in text


@pytest.mark.parametrize("target", TARGETS)
def test_torch_is_in_the_image_of_demucs_alone(target: str) -> None:
    assert ("torch" in lineage(DOCKERFILE, target)) == (target == images.TORCH)


def test_the_code_is_the_last_layer() -> None:
    for target in TARGETS:
        copies = re.findall(r"^COPY --from=(\S+)", stages(DOCKERFILE)[target], re.MULTILINE)

        assert copies[-1] == "project"


def test_the_layers_of_packages_do_not_see_the_code() -> None:
    for name, stage in stages(DOCKERFILE).items():
        assert name == "project" or not re.search(r"^COPY (\.|services|libs|gen|clients)", stage, re.MULTILINE)


def test_services_import_no_package_that_their_image_lacks() -> None:
    """numpy and sound are in some images alone, scipy in none."""
    extras = {"stems": "stub"}
    for service in set(images.SERVICES.values()):
        installed = {re.split(r"[\[<>=!~;]", line)[0] for line in requirements(extras.get(service, service))}
        for file in sorted((ROOT / "services" / service).rglob("*.py")):
            if service == "stems" and "demucs" in file.parts:
                continue
            imported = {name.partition(".")[0] for name in imports(file)} & {
                "numpy",
                "scipy",
                "soundfile",
                "soxr",
                "orjson",
            }

            assert imported <= installed, file


def imports(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


def test_extras_inside_extras_are_resolved() -> None:
    gateway = requirements("gateway")

    assert any(line.startswith("fastapi") for line in gateway)
    assert set(PROJECT["dependencies"]) < set(gateway)
    assert not [line for line in gateway if line.startswith("tonewright")]


def test_an_unknown_extra_is_refused() -> None:
    with pytest.raises(KeyError):
        requirements("trumpet")


def test_compiled_modules_are_named_for_each_layer_of_packages() -> None:
    lines = (ROOT / "deploy/docker/modules.txt").read_text("utf-8").splitlines()
    named = {line.split()[0] for line in lines if not line.startswith("#")}

    installed = set(re.findall(r"install\.sh /opt/\w+ (\w+)", DOCKERFILE.read_text("utf-8")))

    assert named <= installed
    assert named | {"torch"} == installed


def test_constraints_are_plain_versions_without_local_builds() -> None:
    frozen = (
        "-e /somewhere\n# comment\nnumpy==2.4.6\ntorch==2.13.0+cpu\nnvidia-nccl==1\nAlembic==1.20.1\nx @ file:///y\n"
    )

    assert images.constraints(frozen) == "Alembic==1.20.1\nnumpy==2.4.6\n"
    assert images.constraints(images.CONSTRAINTS.read_text("utf-8")) == images.CONSTRAINTS.read_text("utf-8")


def test_constraints_fit_what_the_project_asks_for() -> None:
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in images.CONSTRAINTS.read_text().splitlines()}
    asked = {re.split(r"[\[<>=!~; ]", line)[0].lower() for line in requirements("all", "stems")}

    assert asked - {"torch"} <= pinned


def test_the_table_names_an_image_over_its_budget() -> None:
    shown = images.table(
        [Built("gateway", 192, 250, 9), Built("prompt", 251, 250, 9), Built("weed", 800, None, 1)], "base"
    )

    assert [line.split()[0] for line in shown.splitlines() if "over" in line] == ["prompt"]


@pytest.mark.parametrize(
    ("printed", "size_mb"), [("239 MB", 239), ("1.2 GB", 1200), ("6.71 kB", 0.00671), ("12B", 1.2e-5)]
)
def test_printed_sizes_are_read(printed: str, size_mb: float) -> None:
    assert megabytes(printed) == pytest.approx(size_mb)


def test_a_size_that_nobody_understands_is_a_failure() -> None:
    with pytest.raises(BuildFailed, match="no size"):
        megabytes("large")


def test_the_environment_wins_over_the_files_of_pip() -> None:
    listed = "global.index-url='https://a/simple'\n:env:.index-url='https://b/simple'\n:env:.default-timeout='9'\n"

    assert parse(listed) == {"index-url": "https://b/simple", "timeout": "9"}


def test_folders_and_certificates_of_pip_become_mounts(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").touch()

    made = PipSettings.of(
        {
            "cert": str(tmp_path / "ca.crt"),
            "find-links": f"/absent {tmp_path} https://more/wheels",
            "extra-index-url": "file:///some/simple https://extra/simple",
            "cache-dir": "/somewhere",
        }
    )

    assert made.authorities == tmp_path / "ca.crt"
    assert made.wheels == tmp_path
    assert str(tmp_path) not in made.text
    assert "find-links = https://more/wheels /run/wheels" in made.text
    assert "extra-index-url = https://extra/simple\n" in made.text
    assert "cache-dir" not in made.text


def test_a_machine_without_settings_passes_an_empty_file() -> None:
    with PipSettings.of({}) as pip:
        assert pip.file.read_text() == "[global]\n"

    assert not pip.file.exists()


@pytest.mark.parametrize("engine", [Docker(), Buildah("/store", "/run/store")], ids=["docker", "buildah"])
def test_both_engines_pass_the_settings_of_pip_by_mounts_alone(
    engine: Docker | Buildah, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def call(words: list[str]) -> str:
        calls.append(" ".join(words))
        return ""

    monkeypatch.setattr(image_engines, "_call", call)
    arguments = {"TORCH_VERSION": "2.13.0", "VERSION": "0.1.0", "UNKNOWN": "x"}

    with PipSettings("[global]\n", authorities=Path("/etc/ca"), wheels=tmp_path) as pip:
        engine.build("here/gateway:1", "gateway", DOCKERFILE, ROOT, arguments, pip)

        assert f"--secret id=pip,src={pip.file} --secret id=ca,src=/etc/ca" in calls[0]
    assert f"--build-context wheels={tmp_path}" in calls[0]
    assert "--target gateway" in calls[0]
    assert "--build-arg VERSION=0.1.0" in calls[0]
    assert "UNKNOWN" not in calls[0]


def test_the_cluster_without_its_scripts_is_one_line_and_code_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TONEWRIGHT_SHARED_CLUSTER", str(tmp_path))

    assert cluster.main(["prepare"]) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_exports_are_lines_for_a_shell() -> None:
    lines = cluster.exports().splitlines()

    assert all(re.fullmatch(r"export [A-Z_]+=('[^']*'|[\w./:-]+)", line) for line in lines)
    assert {line.split("=")[0].split()[1] for line in lines} >= {"KUBECONFIG", "CLIENT", "IMAGE_LOADER", "IMAGE_TAG"}


def test_volumes_are_enough_for_three_backends_thrice(tmp_path: Path) -> None:
    made = cluster.volume_list([f"v{number}" for number in range(cluster.VOLUMES)], tmp_path)

    items = made["items"]
    assert isinstance(items, list)
    assert len(items) >= 9
    assert {item["spec"]["storageClassName"] for item in items} == {"tonewright-local"}
