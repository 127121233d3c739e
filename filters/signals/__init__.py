"""Seeded synthetic signals and paths that behave like the recorded thing."""

from ._channels import MultipathChannel, multipath_channel, raised_cosine_channel
from ._checks import check_count as check_count
from ._checks import check_number as check_number
from ._mains import MainsHum, mains_hum
from ._paths import CabinPaths, EchoPath, cabin_paths, echo_path, through_paths
from ._rotor import RotorNoise, rotor_noise
from ._speech import SpeechLike, speech_like

__all__ = [
    "CabinPaths",
    "EchoPath",
    "MainsHum",
    "MultipathChannel",
    "RotorNoise",
    "SpeechLike",
    "cabin_paths",
    "echo_path",
    "mains_hum",
    "multipath_channel",
    "raised_cosine_channel",
    "rotor_noise",
    "speech_like",
    "through_paths",
]
