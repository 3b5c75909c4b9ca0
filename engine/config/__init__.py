"""RunConfig: the one description of a run.

The page, the command line, YAML files and Python all make this object, and the engine takes nothing else. The metadata of
its fields (label, help, range) is the single source of what each of them shows. It knows what may be asked for; it does
not know whether the files, columns or models named in it exist.
"""

from engine.config.data import DataConfig
from engine.config.model import METHODS, MethodConfig, ModelConfig
from engine.config.run import TASK_NAMES, RunConfig, raise_problems
from engine.config.training import EvaluationConfig, TrainingConfig

__all__ = ["METHODS", "TASK_NAMES", "DataConfig", "EvaluationConfig", "MethodConfig", "ModelConfig", "RunConfig"]
__all__ += ["TrainingConfig", "raise_problems"]
