"""The `haetae` command: finds the command of a room by name and imports only that one."""

from __future__ import annotations

import os
import sys

USAGE = """usage: haetae COMMAND ...

{commands}

haetae COMMAND --help tells more. Exit codes: 0 done, 2 wrong arguments or configuration,
3 model refused, 4 camera gone, 5 NPU failed, 6 storage refused."""


def main(argv: list[str] | None = None) -> int:
    """Dispatch to `haetae.commands`.

    Args:
        argv: arguments after the program name; None takes them from the process.

    Returns:
        The process's exit code.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    arguments = sys.argv[1:] if argv is None else argv
    from runtime import plugins

    commands = plugins.names(plugins.COMMANDS)
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(USAGE.format(commands="  ".join(commands)) + "\n")
        return 0 if arguments else 2
    try:
        command = plugins.load(plugins.COMMANDS, arguments[0], arguments[0], commands)
    except plugins.UnknownPlugin as unknown:
        sys.stderr.write(f"haetae: unknown command {unknown}\n")
        return 2
    return int(command(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main())
