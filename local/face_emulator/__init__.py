"""An emulator of the Azure AI Face service's groups: a real HTTP server for one machine, with faults on demand."""
