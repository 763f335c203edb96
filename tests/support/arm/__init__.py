"""Read compiled ARM templates as the Resource Manager does, as far as this project needs it."""
