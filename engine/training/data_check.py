"""The data check of a run's configuration: the data as the run would load it, checked for the model that it would train."""

from __future__ import annotations

from engine.config import RunConfig
from engine.core.settings import Settings
from engine.data.check import CheckResult, check_dataset
from engine.data.dataset import load_dataset
from engine.data.fixes import fixes_for, unknown_fix
from engine.data.model_facts import ModelFacts, facts_of
from engine.tasks import task_named


def check_config(config: RunConfig, settings: Settings, model: ModelFacts | None = None) -> CheckResult:
    """Load and check the data of a run, with the fixes that its configuration names applied.

    `model` replaces what is known of the configured model. Raises what `load_dataset` raises.
    """
    dataset = load_dataset(config.data, task_named(config.task), config.model.id, settings)
    return check_dataset(dataset, model or facts_of(dataset.model, config.model.max_length))


def settle_fixes(config: RunConfig, settings: Settings) -> RunConfig:
    """The configuration with every fix in `data.fixes` that is a setting (a maximum length, a separator) set as the check offers it.

    What is left in `data.fixes` changes rows. Raises ConfigProblem for a code that is neither a fix of the rows nor offered for
    this data, and what `check_config` raises.
    """
    fixes_of_rows = fixes_for(task_named(config.task))
    of_settings = [code for code in config.data.fixes if code not in fixes_of_rows]
    if not of_settings:
        return config
    values = config.to_dict()
    values["data"]["fixes"] = [code for code in config.data.fixes if code in fixes_of_rows]
    findings = check_config(RunConfig.from_dict(values), settings).findings
    offered = {finding.fix.code: finding.fix for finding in findings if finding.fix and finding.fix.settings}
    for code in of_settings:
        if code not in offered:
            raise unknown_fix(code, [*fixes_of_rows, *offered])
        for path, value in offered[code].settings.items():
            section, _, name = path.partition(".")
            values[section][name] = value
    return RunConfig.from_dict(values)
