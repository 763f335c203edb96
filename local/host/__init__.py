"""A stand-in for the Functions host of Core Tools (``func start``), for machines that have none.

The production worker's own code, ``azure-functions-runtime``, loads, indexes and invokes the app in this process.
The host's queue listener, timers, HTTP triggers and admin addresses are written here. A setting or a binding that the
stand-in does not know is rejected, never ignored.

It does not scale, run retry policies, or end a sync function that outlives ``functionTimeout``:
the invocation counts as failed and its thread goes on, where the real host restarts the worker's process.
"""
