"""What the HTTP functions answer. Nothing in here knows ``azure.functions``."""
