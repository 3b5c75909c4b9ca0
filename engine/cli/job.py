"""The `job` command: a run on a machine of the Hugging Face Hub."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from engine.cli.shared import Json, RunArgument, find_run
from engine.core.text import Text, terminal_language


def job(
    run: RunArgument,
    flavor: Annotated[str, typer.Option(help="The machine, such as cpu-upgrade, t4-small or a10g-small.")] = "t4-small",
    timeout: Annotated[str, typer.Option(help="After which the hub ends the job.")] = "1h",
    namespace: Annotated[str, typer.Option(help="Who pays: your name or an organisation's.")] = "",
    submit: Annotated[bool, typer.Option("--submit", help="Send it; without it only the plan is shown.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="With --submit: wait for the end and bring the result back.")
    ] = False,
    bring_back: Annotated[
        bool, typer.Option("--bring-back", help="Bring back the result of a job that has ended.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the job's repository on the hub.")] = False,
    json_: Json = False,
) -> None:
    """Train a run that `train --no-start` created as a Hugging Face job, and bring it back. Jobs cost money; HF_TOKEN says whose."""
    from engine.export.hub_errors import user_errors_from_hub
    from engine.runs import hf_jobs

    opened = find_run(run)

    def print_progress(text: Text) -> None:
        typer.echo(text.in_language(terminal_language()), err=True)

    result: dict[str, object] = {"run": str(opened.directory)}
    with user_errors_from_hub(opened.id):
        if bring_back:
            result["state"] = hf_jobs.bring_back(opened, keep=keep)
        elif submit:
            result |= hf_jobs.submit(opened, flavor, timeout, namespace=namespace, tell=print_progress)
            if wait:
                result["stage"] = hf_jobs.wait(opened, tell=print_progress)
                result["state"] = hf_jobs.bring_back(opened, keep=keep)
        else:
            with hf_jobs.packed(opened) as folder:
                files = [path for path in folder.rglob("*") if path.is_file()]
                result["files"] = len(files)
                result["bytes"] = sum(path.stat().st_size for path in files)
            result["job"] = hf_jobs.described(flavor, timeout, f"{namespace or '<you>'}/tunebench-{opened.id}")
            print_progress(Text("Nothing was sent. Use --submit to send it.", "尚未提交；加上 --submit 才会提交。"))
    typer.echo(json.dumps(result, ensure_ascii=False) if json_ else json.dumps(result, ensure_ascii=False, indent=1))
