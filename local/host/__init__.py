"""A stand-in for the Functions host of Core Tools (`func start`), for machines that have none.

The app is loaded, indexed and invoked by the production worker's own code, `azure-functions-runtime`, in this process.
Around it stand the host's queue listener, its timers, its HTTP triggers and its admin addresses, as far as
they are written here: a setting or a binding that is not known is refused, never ignored.

What it does not do: scale, check function keys, run retry policies, remember a timer's schedule from one start to the
next, and end a sync function that outlives `functionTimeout` (the invocation is counted as failed and its thread
goes on; the real host restarts the worker's process).
"""
