using '../../../../infra/main.bicep'

param environmentName = 'production'
param location = 'westeurope'
param entraClientId = '00000000-0000-0000-0000-0000000000e1'
