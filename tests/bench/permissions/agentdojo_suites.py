"""AgentDojo's suites without its agents: `pip install --no-deps agentdojo` plus what the suites themselves import.

The package's `agent_pipeline` imports every vendor's SDK for one constant; the suites need none of them.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any

VERSION = "v1.2.2"
PAIRS = 949


def load_suites() -> dict[str, Any]:
    """Return the suites by name.

    Raises:
        ImportError: the package is missing, or what its suites import.
    """
    found = importlib.util.find_spec("agentdojo")
    if found is None or not found.submodule_search_locations:
        message = (
            "pip install --no-deps agentdojo==0.1.35; pip install deepdiff docstring-parser pydantic[email] pyyaml"
        )
        raise ImportError(message)
    pipeline = types.ModuleType("agentdojo.agent_pipeline")
    pipeline.__path__ = [f"{found.submodule_search_locations[0]}/agent_pipeline"]
    vendor = types.ModuleType("agentdojo.agent_pipeline.llms.google_llm")
    vendor.EMPTY_FUNCTION_NAME = "<empty-function-name>"
    sys.modules.update({pipeline.__name__: pipeline, vendor.__name__: vendor})
    from agentdojo.task_suite.load_suites import get_suites

    return dict(get_suites(VERSION))
