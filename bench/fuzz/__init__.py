"""Generated inputs against all that reads what comes from outside, guided by what they reach (Atheris, libFuzzer)."""
