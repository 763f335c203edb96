"""Stand in for the table, the queues and the service where every schedule of their calls is explored.

They are held to real Azurite by tests that run the same cases against both.
"""
