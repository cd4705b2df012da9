"""Interactive pictures that run wherever the page is read, with no kernel behind it."""

from .position_explorer import PositionExplorer
from .prediction import Prediction
from .query_key_value_plane import QueryKeyValuePlane
from .quiz import Quiz
from .scale_explorer import ScaleExplorer
from .weights_explorer import WeightsExplorer

__all__ = [
    "PositionExplorer",
    "Prediction",
    "QueryKeyValuePlane",
    "Quiz",
    "ScaleExplorer",
    "WeightsExplorer",
]
