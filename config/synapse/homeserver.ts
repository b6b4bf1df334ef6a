import { clientPolicy } from '../element/files.ts'

/** What differs between installations; everything else is decided here once, with its reason. */
export type HomeserverOptions = {
  serverName: string
  publicBaseUrl: string
  listen: { host: string; port: number }
  database: { host: string; port: number; user: string; password: string; name: string }
  files: { signingKey: string; logConfig: string; media: string; registrations: string[] }
  secrets: { registration: string; macaroon: string; form: string }
  /** The other hospitals' servers (the setting `federation.allowed`); without one nothing federates. */
  federateWith?: readonly string[]
}

/** The modules of this folder. `again_seconds`: how much of what came before a start is passed on to Wardroom once more. */
export const modules = (deliveries: { again_seconds?: number } = {}): object[] => [
  { module: 'wardroom_module.WardroomModule', config: {} },
  { module: 'wardroom_coverage.WardroomCoverage', config: {} },
  { module: 'wardroom_deliveries.WardroomDeliveries', config: deliveries },
]

/** What Wardroom needs of Synapse that is off by default. */
export const experimentalFeatures = {
  // Dehydrated devices: a clinician's client can share a room key with a patient who is not there.
  msc3814_enabled: true,
  // Clients are told the state after the messages. Told the one before them, they take back a join or a removal that crossed a message.
  msc4222_enabled: true,
  // Device lists and key counts come with the transactions (MSC3202).
  msc3202_transaction_extensions: true,
}

/** What Wardroom relies on, the same for every homeserver, one of the clinic's own included. `federateWith`: the other hospitals' servers. */
export const reliedOn = (federateWith: readonly string[] = []): Record<string, unknown> => ({
  // Every Element learns from here that a key backup is required.
  extra_well_known_client_content: clientPolicy(),
  // Nobody makes an account without the clinic.
  enable_registration: false,
  allow_guest_access: false,
  // An invitation by e-mail would tell a server outside the room's name and who is in it.
  enable_3pid_lookup: false,
  // Care stays on this homeserver until an administrator names the partners.
  federation_domain_whitelist: [...federateWith],
  allow_public_rooms_over_federation: false,
  allow_public_rooms_without_auth: false,
  // Every room is encrypted, whichever client creates it, and of a version that we have tested.
  encryption_enabled_by_default_for_room_type: 'all',
  default_room_version: '11',
  // A push travels through a third party: it carries an event id and nothing else.
  push: { include_content: false },
  presence: { enabled: false },
  url_preview_enabled: false,
  // Retention respects legal holds and so is decided by Wardroom; a removed event's content stays long enough for a hold to copy it.
  retention: { enabled: false },
  redaction_retention_period: '7d',
  forgotten_room_retention_period: '28d',
  experimental_features: experimentalFeatures,
  modules: modules(),
})

/** Synapse's configuration as a plain object, to be written as YAML. `extra` replaces top-level settings, for tests and special installations. */
export const homeserverConfig = (
  options: HomeserverOptions,
  extra: Record<string, unknown> = {},
): Record<string, unknown> => ({
  server_name: options.serverName,
  public_baseurl: options.publicBaseUrl,
  report_stats: false,
  signing_key_path: options.files.signingKey,
  log_config: options.files.logConfig,
  media_store_path: options.files.media,
  registration_shared_secret: options.secrets.registration,
  macaroon_secret_key: options.secrets.macaroon,
  form_secret: options.secrets.form,
  listeners: [
    {
      port: options.listen.port,
      bind_addresses: [options.listen.host],
      type: 'http',
      tls: false,
      x_forwarded: true,
      // Other servers come through the same proxy, which ends TLS for them as it does for clients.
      resources: [{ names: options.federateWith?.length ? ['client', 'federation'] : ['client'], compress: false }],
    },
  ],
  database: {
    name: 'psycopg2',
    args: {
      host: options.database.host,
      port: options.database.port,
      user: options.database.user,
      password: options.database.password,
      dbname: options.database.name,
      cp_min: 2,
      cp_max: 10,
    },
  },
  app_service_config_files: options.files.registrations,
  password_config: { policy: { enabled: true, minimum_length: 8 } },
  trusted_key_servers: [],
  suppress_key_server_warning: true,
  // Counts of rooms and people that nobody looks at, kept current at every event.
  stats: { enabled: false },
  user_directory: { enabled: true, search_all_users: true },
  max_upload_size: '50M',
  dynamic_thumbnails: false,
  // A clinic's rounds start with many clients at once behind one address.
  rc_login: {
    address: { per_second: 1, burst_count: 30 },
    account: { per_second: 0.17, burst_count: 5 },
    failed_attempts: { per_second: 0.17, burst_count: 5 },
  },
  rc_message: { per_second: 5, burst_count: 50 },
  ...reliedOn(options.federateWith),
  ...extra,
})

/** Synapse's logging: warnings only, since request lines carry user and room ids. */
export const logConfig = (): Record<string, unknown> => ({
  version: 1,
  formatters: { plain: { format: '%(asctime)s %(levelname)s %(name)s %(message)s' } },
  handlers: { console: { class: 'logging.StreamHandler', formatter: 'plain' } },
  root: { level: 'WARNING', handlers: ['console'] },
  disable_existing_loggers: false,
})

/** Limits that no test meets. */
export const generousLimits = (): Record<string, unknown> => {
  const free = { per_second: 1000, burst_count: 10_000 }
  return {
    rc_message: free,
    rc_registration: free,
    rc_login: { address: free, account: free, failed_attempts: free },
    rc_admin_redaction: free,
    rc_joins: { local: free, remote: free },
    rc_joins_per_room: free,
    rc_invites: { per_room: free, per_user: free, per_issuer: free },
    rc_third_party_invite: free,
    rc_media_create: free,
    rc_key_requests: free,
    rc_presence: { per_user: free },
    rc_delayed_event_mgmt: free,
    rc_room_creation: free,
    rc_reports: free,
    rc_user_directory: free,
  }
}
