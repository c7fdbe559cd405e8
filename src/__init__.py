"""From a retailer's purchase log to churn, customer lifetime value and a report that anyone can read."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .study import Study

__all__ = ["Study", "__version__"]
__version__ = version("loyalty")


def __getattr__(name: str) -> Any:
    # The study brings half of the scientific stack along; `loyalty --help` must not wait for it.
    if name == "Study":
        from .study import Study

        return Study
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
