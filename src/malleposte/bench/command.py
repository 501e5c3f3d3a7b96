"""From words to files: parse, run, print the table, write JSON, text and plot.

Exit codes: 0 all was measured; 1 something failed or was left out; 2 nothing could be measured, or
the command line was wrong.
"""

import signal
import sys
from collections.abc import Sequence
from types import FrameType

from malleposte.bench.options import Options, parse
from malleposte.bench.plot import bars, draw
from malleposte.bench.report import Report, write_json
from malleposte.bench.runner import run
from malleposte.bench.table import show
from malleposte.bench.trouble import BenchTrouble


def main(argv: Sequence[str]) -> int:
    """Run the bench for a command line; returns the exit code."""
    # An end from outside must end the servers too: it becomes an exception, and `finally` runs.
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        options = parse(argv)
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
        report = run(options)
        show(report, sys.stdout)
        write_files(report, options)
    except BenchTrouble as error:
        print(f"malleposte bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("malleposte bench: interrupted; servers ended", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGTERM, previous)
    return 1 if report.failures or report.left_out else 0


def write_files(report: Report, options: Options) -> None:
    """`report.json`, `report.txt`, `report.svg` into the folder given, if any."""
    if options.out is None:
        return
    write_json(report, options.out / "report.json")
    with (options.out / "report.txt").open("w") as text:
        show(report, text)
    subtitle = (
        f"How many times better, median of {options.repetitions} (thin line: least to greatest). "
        f"Right: the figures behind. {report.started}"
    )
    (options.out / "report.svg").write_text(draw(bars(report), "Malleposte bench", subtitle))


def _terminate(number: int, frame: FrameType | None) -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A job that a script put into the background does not hear SIGINT.
        raise KeyboardInterrupt
    # asyncio ends its tasks in good order for this one.
    signal.raise_signal(signal.SIGINT)
