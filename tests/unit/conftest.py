"""What every pure test shares."""

from hypothesis import settings

# The time that one example takes says more of the machine's other work than of the code.
settings.register_profile("pure", deadline=None)
settings.load_profile("pure")
