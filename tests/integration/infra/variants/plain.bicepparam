using '../../../../infra/main.bicep'

param environmentName = 'production'
param location = 'westeurope'
