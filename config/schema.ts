import { z } from 'zod'
import { isRefusal } from '../core/domain/refusal.ts'
import { isSettingKey, settingKeys, settingOf } from '../core/domain/settings/settings.ts'
import { closest } from './closest.ts'
import { address, databaseAddress, entry, path, secretText, serverName, userId, webAddress } from './kinds.ts'

const port = z.int({ error: 'must be a port number' }).min(1, 'must be 1 to 65535').max(65_535, 'must be 1 to 65535')

/** A part of the file: unknown entries are errors, and a part that is left out has its defaults. */
const part = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape)

const homeserver = part({
  url: entry(webAddress.optional(), {
    about: 'Where the homeserver answers clients. Left out: Wardroom runs a Synapse of its own.',
    env: 'HOMESERVER_URL',
    example: 'https://matrix.hospital.example',
  }),
  serverName: entry(serverName.default('wardroom.localhost'), {
    about: 'The name in user ids, after the colon. It cannot be changed once there are users.',
    env: 'HOMESERVER_NAME',
    example: 'hospital.example',
  }),
  registrations: entry(
    part({
      bots: entry(path.optional(), {
        about: 'The registration file of the bots, as the homeserver has it. Left out: made in the data folder.',
        example: '/etc/wardroom/wardroom-bots.yaml',
      }),
      ghosts: entry(path.optional(), {
        about:
          'The registration file of the patients and of the owners of their rooms. Left out: made in the data folder.',
        example: '/etc/wardroom/wardroom-ghosts.yaml',
      }),
    }).prefault({}),
    { about: 'Application service registrations: `wardroom registration` writes both.' },
  ),
})

const twilio = part({
  accountSid: entry(z.string().regex(/^AC[0-9a-fA-F]{32}$/, 'must be AC and 32 hexadecimal digits'), {
    about: "The account's SID.",
    env: 'TWILIO_ACCOUNT_SID',
    example: 'AC0123456789abcdef0123456789abcdef',
  }),
  authToken: entry(secretText, { about: "The account's auth token.", env: 'TWILIO_AUTH_TOKEN', secret: true }),
  messagingServiceSid: entry(z.string().regex(/^MG[0-9a-fA-F]{32}$/, 'must be MG and 32 hexadecimal digits'), {
    about: 'The messaging service that holds the registered senders.',
    env: 'TWILIO_MESSAGING_SERVICE_SID',
    example: 'MG0123456789abcdef0123456789abcdef',
  }),
  ratePerSecond: entry(z.number().positive('must be more than 0').max(1000, 'must be at most 1000').default(1), {
    about: 'Texts a second that the senders are registered for.',
  }),
  voiceNumber: entry(
    z
      .string()
      .regex(/^\+[1-9]\d{6,14}$/, 'must be a telephone number such as +12025550100')
      .optional(),
    {
      about: 'The number that pages call from. Left out: pages go by chat and text alone.',
      env: 'TWILIO_VOICE_NUMBER',
      example: '+12025550100',
    },
  ),
})

const sms = part({
  provider: entry(z.enum(['local', 'twilio'], { error: 'must be local or twilio' }).optional(), {
    about:
      'Who carries texts. `local`: a server on this machine and a page that plays the telephone, for trying out; refused when Twilio credentials are present. Left out: `twilio` when its credentials are given, else `local`.',
    example: 'twilio',
  }),
  twilio: entry(twilio.optional(), { about: 'Credentials of Twilio.' }),
  local: entry(
    part({
      authToken: entry(secretText.optional(), {
        about: 'What Wardroom and the local SMS server prove themselves with. Left out: made in the data folder.',
        secret: true,
      }),
    }).prefault({}),
    { about: 'The local SMS server.' },
  ),
})

const listen = part({
  public: entry(address.prefault('127.0.0.1:8080'), { about: 'The patient page. A TLS proxy stands before it.' }),
  bridge: entry(address.prefault('127.0.0.1:9801'), {
    about: "The homeserver's transactions for patients (the `url` of the ghosts' registration). Never public.",
  }),
  bots: entry(address.prefault('127.0.0.1:9802'), {
    about: "The homeserver's transactions for the bots (the `url` of the bots' registration). Never public.",
  }),
  keeper: entry(address.prefault('127.0.0.1:9803'), {
    about: 'The keeper, which only the bridge calls. Never public.',
  }),
  audit: entry(address.prefault('127.0.0.1:9804'), {
    about: 'Health and metrics of the audit process. Never public.',
  }),
  admin: entry(address.prefault('127.0.0.1:8082'), {
    about: "The administrators' page. For the hospital's own network only, with a TLS proxy before it.",
  }),
  local: entry(address.prefault('127.0.0.1:8081'), {
    about: 'The local SMS server with the handset and the try-it page. Never public; not started with Twilio.',
  }),
})

const keys = part({
  file: entry(path.optional(), {
    about:
      'The sealing keys of columns and the public halves of the release and recovery keys (JSON, mode 600). Left out: made in the data folder.',
    env: 'WARDROOM_KEY_FILE',
    example: '/etc/wardroom/keys/sealing.json',
  }),
  keeper: entry(path.optional(), {
    about:
      "The keeper's private key (JSON, mode 600); no other process reads it. Left out: keeper.json beside the sealing keys.",
    example: '/etc/wardroom/keys/keeper.json',
  }),
  audit: entry(path.optional(), {
    about:
      "The audit log's private signing keys (JSON, mode 600); only the audit process reads them. Left out: audit.json beside the sealing keys.",
    example: '/etc/wardroom/keys/audit.json',
  }),
  keeperSecret: entry(secretText.optional(), {
    about: 'What the bridge proves itself with to the keeper. Left out: made in the data folder.',
    env: 'WARDROOM_KEEPER_SECRET',
    secret: true,
  }),
})

const audit = part({
  pinFolder: entry(path.optional(), {
    about:
      'The folder to which checkpoints of the audit log are written, each once: best a write-once mount on another machine. Left out: `pins` in the data folder.',
    env: 'WARDROOM_PIN_FOLDER',
    example: '/mnt/write-once/wardroom-checkpoints',
  }),
  sinkFolder: entry(path.optional(), {
    about:
      'The only folder to which `!audit sink add` may write files; certificates and keys that sinks use lie in its folder `tls`. Left out: `audit/sinks` in the data folder.',
    env: 'WARDROOM_SINK_FOLDER',
    example: '/var/log/wardroom-audit',
  }),
})

const oncall = part({
  printFile: entry(path.optional(), {
    about:
      'The file in which the bots keep the printable page of who is on call with their numbers (HTML, mode 600, renewed every hour). Left out: `oncall/on-call.html` in the data folder.',
    env: 'WARDROOM_ONCALL_PRINT_FILE',
    example: '/srv/switchboard/on-call.html',
  }),
})

/** Starting values of what administrators later change by chat, checked by the very rules of `!config`. */
const settings = z
  .record(z.string(), z.string({ error: 'must be text, as one would type it after !config set' }))
  .superRefine((values, context) => {
    for (const [key, text] of Object.entries(values)) {
      const issue = (message: string) => context.addIssue({ code: 'custom', path: [key], message })
      if (!isSettingKey(key)) {
        const near = closest(key, settingKeys)
        issue(`is not a setting${near ? `; did you mean ${near}?` : ''}`)
        continue
      }
      const value = settingOf(key).kind.parse(text)
      if (isRefusal(value)) issue(`is not usable: ${value.sentence}`)
    }
  })

/** The whole configuration: types, defaults, documentation and redaction come from here. */
export const schema = part({
  dataDir: entry(path.default('data'), {
    about:
      'The folder for everything that Wardroom keeps outside databases: keys, registrations, logs, and the embedded parts.',
  }),
  publicUrl: entry(webAddress.optional(), {
    about:
      'Where patients reach the page: the only host that texts ever link to. Left out: the address of `listen.public` on this machine.',
    env: 'PUBLIC_URL',
    example: 'https://chat.clinic.example',
  }),
  adminUrl: entry(webAddress.optional(), {
    about:
      "Where administrators reach their page, in the hospital's own network. Left out: the address of `listen.admin` on this machine.",
    env: 'ADMIN_URL',
    example: 'https://wardroom-admin.clinic.example',
  }),
  proxies: entry(
    z.int({ error: 'must be a whole number' }).min(0, 'must not be negative').max(5, 'must be at most 5').default(0),
    {
      about:
        "How many reverse proxies stand before the patient page and the administrators' page: the caller's address is taken from X-Forwarded-For that many steps back.",
    },
  ),
  firstAdmin: entry(userId.optional(), {
    about: 'Who is administrator when nobody is yet. Their identity is pinned when they first write to the bot.',
    example: '@ann:hospital.example',
  }),
  clinicLogo: entry(path.optional(), {
    about: 'A PNG or SVG file, shown at the top of the patient page.',
    example: '/etc/wardroom/logo.svg',
  }),
  settings: entry(settings.default({}), {
    about:
      'Starting values of the settings that administrators change by chat (`!config list`); a value that was ever changed by chat stays.',
    example: { 'clinic.name': 'Riverside Clinic', 'clinic.phone': '+15555550100' },
  }),
  homeserver: entry(homeserver.prefault({}), { about: 'The Matrix homeserver.' }),
  database: entry(
    part({
      url: entry(databaseAddress.optional(), {
        about:
          'The database `wardroom` (PostgreSQL 14 or newer, UTF-8). Left out: Wardroom runs a PostgreSQL of its own.',
        env: 'DATABASE_URL',
        secret: true,
      }),
      keeperUrl: entry(databaseAddress.optional(), {
        about:
          'The same database with a role of its own for the keeper; `wardroom migrate` grants it what the keeper needs and no more. Left out: as `database.url`.',
        env: 'KEEPER_DATABASE_URL',
        secret: true,
      }),
    }).prefault({}),
    { about: 'The database.' },
  ),
  sms: entry(sms.prefault({}), { about: 'Text messages.' }),
  keys: entry(keys.prefault({}), { about: 'Keys that are never in a database.' }),
  audit: entry(audit.prefault({}), { about: 'The audit log.' }),
  oncall: entry(oncall.prefault({}), { about: 'On call.' }),
  listen: entry(listen.prefault({}), { about: 'Where each service listens, as host:port.' }),
  embedded: entry(
    part({
      synapse: entry(port.default(8008), {
        about: 'The port of the embedded homeserver on 127.0.0.1; the next free one when it is busy.',
      }),
      postgres: entry(port.default(54_320), {
        about: 'The port of the embedded PostgreSQL on 127.0.0.1; the next free one when it is busy.',
      }),
    }).prefault({}),
    { about: 'The embedded parts.' },
  ),
  log: entry(
    part({
      level: entry(
        z.enum(['debug', 'info', 'warn', 'error'], { error: 'must be debug, info, warn or error' }).default('info'),
        {
          about: 'How much the services write.',
          env: 'WARDROOM_LOG_LEVEL',
        },
      ),
    }).prefault({}),
    { about: 'Logs.' },
  ),
})

/** The checked configuration. */
export type Config = z.infer<typeof schema>

/** Who carries texts: as configured, else Twilio when its credentials are there. */
export const smsProvider = ({ sms }: Pick<Config, 'sms'>): 'local' | 'twilio' =>
  sms.provider ?? (sms.twilio ? 'twilio' : 'local')
