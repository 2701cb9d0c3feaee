"""What is deployed is of its schemas, names only what is there, holds no secret and runs unprivileged."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).resolve().parents[1]
MANIFESTS = sorted(path for path in (ROOT / "deploy" / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def documents():
    return [found for path in MANIFESTS for found in yaml.safe_load_all(path.read_text())]


def pods():
    """Specification of the pod of everything that runs."""
    for one in documents():
        spec = one.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield one["metadata"]["name"], spec["template"]["spec"]


def containers():
    return [(name, container) for name, pod in pods() for container in pod["containers"]]


def commands():
    """Every command line of `manage.py` in the compose file and the manifests."""
    lines = [service.get("command", []) for service in COMPOSE["services"].values()]
    lines += [service.get("healthcheck", {}).get("test", []) for service in COMPOSE["services"].values()]
    lines += [container.get("command", []) for _, container in containers()]
    lines += [container[probe]["exec"]["command"] for _, container in containers() for probe in container if "exec" in str(container[probe])
              and probe.endswith("Probe")]  # fmt: skip
    lines += [json.loads(found) for found in re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)]
    for words in (word for line in lines for word in _parts(line)):
        if "deploy/manage.py" in words:
            yield words[words.index("deploy/manage.py") + 1 :]


def _parts(line):
    return [shlex.split(part) for part in line[-1].split("&&")] if line[:2] == ["sh", "-c"] else [line]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_of_the_schema_of_kubernetes(path):
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    for found in yaml.safe_load_all(path.read_text()):
        kubernetes_validate.validate(found, "1.31", strict=True)


def test_the_compose_file_is_of_its_schema():
    pytest.importorskip("check_jsonschema")
    command = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(ROOT / "compose.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_everything_is_applied_but_the_example_of_a_secret():
    applied = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "kustomization.yaml").read_text())
    assert {path.name for path in MANIFESTS} - {"secret.example.yaml"} == set(applied["resources"])
    images = {container["image"] for _, container in containers()}
    assert images == {image["name"] for image in applied["images"]}
    targets = {f"tom-alerce-{name}" for name in re.findall(r"^FROM base AS (\w+)$", DOCKERFILE, re.MULTILINE)}
    assert images == targets == {service["image"] for service in COMPOSE["services"].values() if "build" in service}


def test_every_command_that_is_named_is_there_with_its_options():
    found = list(commands())
    assert {"migrate", "alerce_run", "alerce_stream", "alerce_poll", "alerce_roles", "alerce_simulate"} <= {words[0] for words in found}
    for name, *options in found:
        load_command_class(get_commands()[name], name).create_parser("manage.py", name).parse_args(options)


@pytest.mark.parametrize("name", [name for name, _ in containers()])
def test_pods_run_unprivileged_within_limits(name):
    pod = dict(pods())[name]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        mine = container["securityContext"]
        assert (mine["allowPrivilegeEscalation"], mine["readOnlyRootFilesystem"], mine["capabilities"]) == (False, True, {"drop": ["ALL"]})
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
        assert "env" not in container, "secrets are files"


def test_what_serves_or_follows_is_probed():
    probed = {name: {key for key in container if key.endswith("Probe")} for name, container in containers()}
    assert probed["web"] == {"startupProbe", "readinessProbe", "livenessProbe"}
    assert probed["stream-night"] == {"startupProbe", "livenessProbe"}
    [web] = [container for name, container in containers() if name == "web"]
    from django.urls import reverse

    assert web["readinessProbe"]["httpGet"]["path"] == reverse("tom_alerce:ready")
    [config] = [one for one in documents() if one["kind"] == "ConfigMap"]
    assert web["readinessProbe"]["httpGet"]["httpHeaders"] == [{"name": "Host", "value": config["data"]["ALLOWED_HOSTS"]}]


def test_services_of_the_compose_file_run_unprivileged():
    for name, service in COMPOSE["services"].items():
        if service.get("image", "").startswith("tom-alerce"):
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), "published to this computer alone"


def test_secrets_are_files_everywhere():
    [config] = [one for one in documents() if one["kind"] == "ConfigMap"]
    named = {key: value for key, value in config["data"].items() if re.search("SECRET|PASSW|SETTINGS|FACILITIES", key)}
    assert all(key.endswith("_FILE") and value.startswith("/run/secrets/tom/") for key, value in named.items())
    [secret] = [one for one in documents() if one["kind"] == "Secret"]
    assert {Path(value).name for value in named.values()} == set(secret["stringData"]) == set(COMPOSE["secrets"])
    assert set(secret["stringData"].values()) <= {"", "{}"}
    environment = COMPOSE["services"]["web"]["environment"]
    assert not [key for key in environment if re.search("SECRET|PASSW|TOKEN", key) and not key.endswith("_FILE")]


def test_the_dockerfile_copies_what_is_there_and_ends_unprivileged():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored or f"!{Path(source).parts[0]}" in ignored, source
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    names = [stage.split("\n", 1)[0].split(" AS ")[1] for stage in stages]
    assert names == ["build", "build-web", "build-worker", "base", "web", "worker"]
    for stage in stages[-2:]:
        assert re.findall(r"^USER (.*)$", stage, re.MULTILINE) == ["10001:10001"]
        assert "COPY --from=build-" in stage
    assert set(re.findall(r"--from=(\S+)", DOCKERFILE)) <= set(names)
    assert not re.search(r"^ARG ", DOCKERFILE, re.MULTILINE), "an argument stays in the image's history"
    for name in re.findall(r"--override (\S+)", DOCKERFILE):
        assert (ROOT / name).exists()


def test_settings_of_the_deployment_come_from_files(tmp_path):
    secrets = {"SECRET_KEY": "k" * 50 + "\n", "PGPASSWORD": "p4ss\n", "ALERCE_SETTINGS": '{"RANK_DAYS": 9}', "FACILITIES": "{}"}
    environment = {"ALLOWED_HOSTS": "a.example.org, b.example.org", "CSRF_TRUSTED_ORIGINS": "https://a.example.org"}
    for name, value in secrets.items():
        (tmp_path / name).write_text(value)
        environment[f"{name}_FILE"] = str(tmp_path / name)
    shown = _settings(environment)
    assert shown["SECRET_KEY"] == "k" * 50
    assert shown["PASSWORD"] == "p4ss"
    assert (shown["TOM_ALERCE"], shown["ALLOWED_HOSTS"], shown["DEBUG"]) == ({"RANK_DAYS": 9}, ["a.example.org", "b.example.org"], False)
    assert shown["SESSION_COOKIE_SECURE"]
    assert "demo" not in shown["INSTALLED_APPS"]
    assert "KeyError: 'SECRET_KEY'" in _settings({"ALLOWED_HOSTS": "x"})


def _settings(environment):
    """The settings in a process with this environment, or its complaint."""
    names = ("SECRET_KEY", "TOM_ALERCE", "ALLOWED_HOSTS", "DEBUG", "SESSION_COOKIE_SECURE", "INSTALLED_APPS")
    code = (
        "import json, deploy.tom.settings as s\n"
        f"print(json.dumps({{**{{n: getattr(s, n) for n in {names}}}, 'PASSWORD': s.DATABASES['default']['PASSWORD']}}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr
