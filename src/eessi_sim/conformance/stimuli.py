"""All stimuli by the case that they belong to."""

from typing import Final

from eessi_sim.conformance import (
    rows_business,
    rows_channels,
    rows_eessi,
    rows_packaging,
    rows_point,
    rows_pull,
    rows_signature,
    rows_synchronisation,
    rows_xml,
)
from eessi_sim.conformance.plays import AtPoint, Stimulus, Wire

ALL: Final[tuple[Stimulus | Wire | AtPoint, ...]] = (
    *rows_signature.STIMULI,
    *rows_xml.STIMULI,
    *rows_packaging.STIMULI,
    *rows_business.STIMULI,
    *rows_eessi.STIMULI,
    *rows_synchronisation.STIMULI,
    *rows_point.STIMULI,
    *rows_pull.STIMULI,
    *rows_channels.STIMULI,
)
STIMULI: Final = {(each.row, each.name): each for each in ALL}
