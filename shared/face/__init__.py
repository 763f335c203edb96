"""Talk to the Azure AI Face service: one client for every job, which knows none of them."""
