using '../../../../infra/main.bicep'

param environmentName = 'production'
param location = 'westeurope'
param existingFaceId = '/subscriptions/00000000-0000-0000-0000-00000000000b/resourceGroups/rg-recognition/providers/Microsoft.CognitiveServices/accounts/our-face'
