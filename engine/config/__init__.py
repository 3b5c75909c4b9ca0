"""RunConfig: the one description of a run.

The page, the command line, YAML files and Python all make this object, and the engine takes nothing else. The metadata of
its fields (label, help, range) is the single source of what each of them shows. It knows what may be asked for; it does
not know whether the files, columns or models named in it exist.
"""

from engine.config.run import RunConfig, raise_problems, with_defaults
from engine.config.training import EvaluationConfig, TrainingConfig
from engine.data.config import DataConfig
from engine.generation.config import GenerationConfig
from engine.models.config import MethodConfig, ModelConfig

__all__ = [
    "DataConfig",
    "EvaluationConfig",
    "GenerationConfig",
    "MethodConfig",
    "ModelConfig",
]
__all__ += ["RunConfig", "TrainingConfig", "raise_problems", "with_defaults"]
