"""``eessi-sim bench as4``: what a signed message costs, beside the floor measured in the same run."""

from typing import Final

import click

from eessi_sim.benchmark.messaging import USUAL_OCTETS, measure_messaging
from eessi_sim.cli import failures, output
from eessi_sim.security.pki import KeyAlgorithm

_KINDS: Final = {"rsa": KeyAlgorithm.RSA_2048, "p256": KeyAlgorithm.P_256}


@click.command("as4", epilog=failures.EXIT_STATUS)
@click.option(
    "--bytes",
    "octets",
    type=click.IntRange(min=1),
    default=USUAL_OCTETS,
    show_default=True,
    help="Size of the message on the wire.",
)
@click.option("--keys", type=click.Choice(list(_KINDS)), help="Only this kind of keys; both by default.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.0, min_open=True),
    default=1.0,
    show_default=True,
    help="How long each measurement lasts.",
)
@output.shared_options
def bench_as4(*, octets: int, keys: str | None, seconds: float, as_json: bool) -> None:
    r"""Measure what a signed AS4 message costs: packing it, then unpacking and verifying it.

    The floor is what nobody can avoid: one signature and its verification, the digest of the payload and the
    canonical form of what is signed on either side, one parse of the SOAP envelope; measured in turn in the same run.

    \b
    Example:
      eessi-sim bench as4
      eessi-sim bench as4 --bytes 100000 --keys p256

    \b
    With --json: [{"keys", "bytes", "pack_us", "verify_us", "floor_us", "ratio"}].
    """
    with output.working("Measuring …"):
        costs = measure_messaging([_KINDS[keys]] if keys else _KINDS.values(), octets, seconds)
    if as_json:
        output.show_json([cost.as_dict() for cost in costs])
        return
    rows = [
        (
            cost.keys.upper(),
            cost.octets,
            f"{cost.pack.cpu:.0f}",
            f"{cost.verify.cpu:.0f}",
            f"{cost.floor:.0f}",
            f"{cost.ratio:.1f}",
        )
        for cost in costs
    ]
    output.show_table(("!Keys", ">bytes", ">pack µs", ">unpack + verify µs", ">floor µs", ">ratio"), rows)
    output.remark("Processor time, medians; ratio: packing, unpacking and verifying together, by the floor.")
