using '../../../../infra/main.bicep'

param environmentName = 'production'
param location = 'westeurope'
param snapshotRetentionDays = 30
param throttledAlertPercent = 5
param snapshotMaxAgeHours = 48
param storageSkuName = 'Standard_ZRS'
param logDailyCapGb = -1
param options = {
  FACE_MAX_TPS: '5'
  WATCH_DEFAULT_KIND: 'personGroup'
  WATCH_MESSAGE_ENCODING: 'base64'
  WATCH_TIMEOUT_SECONDS: '3600'
  WATCH_MIN_DELAY_SECONDS: '2'
  WATCH_MAX_DELAY_SECONDS: '30'
  WATCH_POLL_WORTH_SECONDS: '2'
  WATCH_GRACE_SECONDS: '10'
  WATCH_RETENTION_DAYS: '8'
  SNAPSHOT_SCHEDULE: '0 30 1 * * *'
  SNAPSHOT_KINDS: 'dynamicPersonGroup,largePersonGroup'
  SNAPSHOT_INCLUDE_USER_DATA: 'false'
  SNAPSHOT_INCLUDE_MEMBERS: 'true'
  SNAPSHOT_MEMBERS_DAYS: '7'
}
