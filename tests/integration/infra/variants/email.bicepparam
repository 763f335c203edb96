using '../../../../infra/main.bicep'

param environmentName = 'production'
param location = 'westeurope'
param alertEmail = 'operators@example.com'
