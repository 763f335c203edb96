using '../../../../infra/main.bicep'

param environmentName = 'production'
param location = 'westeurope'
param operatorPrincipalId = '00000000-0000-0000-0000-0000000000f1'
