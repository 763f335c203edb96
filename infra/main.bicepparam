using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'face-group-ops')
param existingFaceId = readEnvironmentVariable('EXISTING_FACE_ID', '')
param faceSkuName = readEnvironmentVariable('FACE_SKU', 'S0')
param allowTraining = bool(readEnvironmentVariable('ALLOW_TRAINING', 'false'))
param networkIsolation = bool(readEnvironmentVariable('NETWORK_ISOLATION', 'false'))
param storageSkuName = readEnvironmentVariable('STORAGE_SKU', 'Standard_LRS')
param snapshotRetentionDays = int(readEnvironmentVariable('SNAPSHOT_RETENTION_DAYS', '90'))
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')

// Settings of the app that differ from its defaults, such as FACE_MAX_TPS: '5'.
param options = {}
