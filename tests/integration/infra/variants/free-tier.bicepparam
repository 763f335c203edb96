using '../../../../infra/main.bicep'

param environmentName = 'production'
param location = 'westeurope'
param faceSkuName = 'F0'
