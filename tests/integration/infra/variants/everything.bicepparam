using '../../../../infra/main.bicep'

param environmentName = 'production'
param location = 'westeurope'
param existingFaceId = '/subscriptions/00000000-0000-0000-0000-00000000000b/resourceGroups/rg-recognition/providers/Microsoft.CognitiveServices/accounts/our-face'
param networkIsolation = true
param allowTraining = true
param alertEmail = 'operators@example.com'
param eventTopic = true
param entraClientId = '00000000-0000-0000-0000-0000000000e1'
param operatorPrincipalId = '00000000-0000-0000-0000-0000000000f1'
