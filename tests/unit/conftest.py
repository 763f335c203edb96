"""What every pure test shares."""

from hypothesis import settings

# The time that one example takes says more of the machine's other work than of the code. The rest is as Hypothesis
# chooses it: random at a desk, and the same examples each time in continuous integration.
settings.register_profile("pure", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("pure")
