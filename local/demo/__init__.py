"""Shows both jobs at work on the stack, and checks every outcome."""
