"""The benchmark: our whole loop beside the scripts that people write today, in one run.

Lives here: frames in shared memory, one worker process per candidate, the peers' scripts, the
report and its gate. May touch the loop only through `runtime.boot`; nothing else imports it.
"""
