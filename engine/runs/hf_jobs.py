"""A run on somebody else's machine, by Hugging Face Jobs: sent there, watched, and brought back.

What a job needs lies in a private data set repository of its own: this engine, the run, its files. The job trains as any worker
does and puts the run directory back; from there it comes home, and the repository is deleted. Knows the hub's API and what of a run
travels; does not know how it is trained.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, JobStage

from engine.config import RunConfig
from engine.core.errors import ConfigProblem, RunFailure, RunProblem
from engine.core.text import Text
from engine.run_directory.store import Run, write_atomically

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("job_script.py")
FILES = ("train", "validation", "test")
ENDED = ("COMPLETED", "CANCELED", "ERROR", "DELETED")
_TELL = Callable[[Text], None]


def requirements() -> list[str]:
    """The packages of the app that a job needs; the page's and the exporters' are not among them."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    skipped = ("gradio", "onnx")
    return [line for line in lines if line and not line.startswith(("#", *skipped))]


def described(flavor: str, timeout: str, repo: str) -> dict[str, Any]:
    """The arguments of `run_uv_job`, without secrets."""
    return {
        "script": str(SCRIPT),
        "script_args": [repo],
        "dependencies": requirements(),
        "python": "3.11",
        "flavor": flavor,
        "timeout": timeout,
    }


@contextmanager
def packed(run: Run) -> Iterator[Path]:
    """The folder that is uploaded: source/, input/ and run/<id>/. ConfigProblem for what a job could not see."""
    config = run.config
    _refuse_folder(config)
    with tempfile.TemporaryDirectory(prefix="tunebench-job-") as scratch:
        folder = Path(scratch)
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(ROOT / "engine", folder / "source" / "engine", ignore=ignored)
        shutil.copytree(ROOT / "demo" / "examples", folder / "source" / "demo" / "examples", ignore=ignored)
        (folder / "input").mkdir()
        inside = folder / "run" / run.id
        inside.mkdir(parents=True)
        inside.joinpath("config.yaml").write_text(_moved(config, folder / "input").to_yaml(), encoding="utf-8")
        # Whose it is, and which process had it, is of this machine.
        manifest = replace(run.manifest, owner="", process=None, state="queued", error=None, created=time.time())
        Run(inside).write_manifest(manifest)
        yield folder


def submit(
    run: Run, flavor: str, timeout: str, *, namespace: str = "", api: HfApi | None = None, tell: _TELL | None = None
) -> dict[str, Any]:
    """Upload a queued run and start its job; what must be known to find it again is kept in the run as job.json.

    RunProblem for a run that was started already.
    """
    if run.path("job.json").is_file():
        raise RunProblem(
            "already_sent",
            Text("This run has been sent to a job already.", "该运行已提交为任务。"),
            Text("Bring it back with --bring-back.", "可用 --bring-back 取回。"),
        )
    if run.manifest.started is not None:
        raise RunProblem(
            "already_started",
            Text("This run was started here already.", "该运行已在本机启动过。"),
            Text("Create a new one with train --no-start.", "请用 train --no-start 新建运行。"),
        )
    say, hub = tell or (lambda text: None), api or HfApi()
    owner = namespace or hub.whoami()["name"]
    repo = f"{owner}/tunebench-{run.id}"
    with packed(run) as folder:
        say(Text(f"Uploading the run to {repo} (private)", f"正在把运行上传到 {repo}（私有）"))
        hub.create_repo(repo, repo_type="dataset", private=True, exist_ok=False)
        hub.upload_folder(repo_id=repo, repo_type="dataset", folder_path=folder, commit_message=f"Run {run.id}")
    # The job needs the token to read this repository and to write the result; it travels as a secret of the job.
    arguments = described(flavor, timeout, repo)
    job = hub.run_uv_job(
        **arguments, secrets={"HF_TOKEN": _token(hub)}, **({"namespace": namespace} if namespace else {})
    )
    known = {"job": job.id, "repo": repo, "flavor": flavor, "namespace": namespace, "submitted": time.time()}
    write_atomically(run.path("job.json"), json.dumps(known, indent=1))
    say(Text(f"Job {job.id} on {flavor}", f"任务 {job.id} 已提交到 {flavor}"))
    return known


def stage_of(run: Run, api: HfApi | None = None) -> str:
    """The job's stage, as the hub has it."""
    known = job_of(run)
    hub = api or HfApi()
    job = hub.inspect_job(job_id=known["job"], **({"namespace": known["namespace"]} if known["namespace"] else {}))
    # The library's own enumeration is a string; a stage that it does not know yet comes as a plain one.
    return job.status.stage.value if isinstance(job.status.stage, JobStage) else str(job.status.stage)


def wait(run: Run, api: HfApi | None = None, poll: float = 10.0, tell: _TELL | None = None) -> str:
    """Wait for the job to end; returns its stage. The heartbeat shows readers of the run that it is supervised."""
    last = ""
    while True:
        stage = stage_of(run, api)
        run.path("heartbeat").touch()
        if stage != last and tell is not None:
            tell(Text(f"Job: {stage.lower()}", f"任务状态：{stage.lower()}"))
        last = stage
        if stage in ENDED:
            return stage
        time.sleep(poll)


def bring_back(run: Run, *, keep: bool = False, api: HfApi | None = None) -> str:
    """Put what the job made into the run, and delete its repository; returns the run's state.

    RunFailure where the job left nothing: the repository stays, and so does the job's own log.
    """
    known, hub = job_of(run), api or HfApi()
    with tempfile.TemporaryDirectory(prefix="tunebench-job-") as scratch:
        hub.snapshot_download(
            repo_id=known["repo"], repo_type="dataset", allow_patterns=["result/*", "result/**"], local_dir=scratch
        )
        result = Path(scratch) / "result"
        if not result.joinpath("manifest.json").is_file():
            raise RunFailure(
                "job_left_nothing",
                Text(f"Job {known['job']} left no result.", f"任务 {known['job']} 没有留下结果。"),
                Text(f"Its log: hf jobs logs {known['job']}", f"查看日志：hf jobs logs {known['job']}"),
            )
        there = json.loads(result.joinpath("manifest.json").read_text(encoding="utf-8"))
        shutil.copytree(
            result,
            run.directory,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("config.yaml", "manifest.json", "job.json", "checkpoints"),
        )
    # This run keeps its own name, owner and files; what happened to it happened there.
    fields = ("state", "started", "finished", "error", "headline", "model", "facts", "attempt")
    run.update(process=None, **{name: there[name] for name in fields})
    if not keep:
        hub.delete_repo(known["repo"], repo_type="dataset")
        run.path("job.json").unlink()
    return run.state


def job_of(run: Run) -> dict[str, Any]:
    """What `submit` kept. RunProblem for a run that no job has."""
    try:
        return json.loads(run.path("job.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunProblem(
            "no_job",
            Text("This run was not sent to a job.", "该运行没有提交为任务。"),
            Text("Send it with --submit.", "可用 --submit 提交。"),
        ) from error


def _refuse_folder(config: RunConfig) -> None:
    if config.model.id.startswith(("/", ".", "~")) or Path(config.model.id).exists():
        raise ConfigProblem(
            "model_stays",
            Text("A job cannot see a model folder of this machine.", "任务无法访问本机上的模型目录。"),
            Text("Push it to the hub and name its id.", "请先推送到 Hub，再填写其 ID。"),
            field="model.id",
        )


def _moved(config: RunConfig, folder: Path) -> RunConfig:
    """The configuration with its files copied into `folder`, named as the worker finds them from source/."""
    changes: dict[str, Any] = {}
    for name in FILES:
        given = getattr(config.data, name)
        if given:
            target = folder / f"{name}-{Path(given).name}"
            shutil.copyfile(given, target)
            changes[name] = f"../input/{target.name}"
    return replace(config, data=replace(config.data, **changes))


def _token(hub: HfApi) -> str:
    from huggingface_hub import get_token

    token = hub.token if isinstance(hub.token, str) else get_token()
    if not token:
        raise RunFailure(
            "hub_token",
            Text("A job needs a token with write access.", "提交任务需要有写权限的访问令牌。"),
            Text("Set HF_TOKEN or run `hf auth login`.", "请设置 HF_TOKEN 或运行 `hf auth login`。"),
        )
    return token
